/**
 * The OCSF schema as it was published, taken from a package of the Python index that ships the schema server's export. It is
 * downloaded once, by its digest, into a folder of temporary files; nothing of it is installed or kept in the repository.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { ToolTest } from '../foreign/tools.ts';

const run = promisify(execFile);

const DIGEST = '221b43d05787aa68d03233589f0eabdab192531d3e4740b856b2e0a4d6d91f82';
const CACHED = join(tmpdir(), `countersign-test-ocsf-${DIGEST.slice(0, 16)}.json`);

export interface Attribute {
  readonly type: string;
  readonly requirement: 'required' | 'recommended' | 'optional';
  readonly object_type?: string;
  readonly is_array?: boolean;
  readonly enum?: Readonly<Record<string, { readonly caption: string }>>;
  readonly sibling?: string;
  readonly profiles?: readonly string[] | null;
  readonly '@deprecated'?: unknown;
}

export interface Definition {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly constraints?: Readonly<Record<'at_least_one' | 'just_one', readonly string[] | undefined>>;
}

export interface OcsfClassDefinition extends Definition {
  readonly uid: number;
  readonly caption: string;
  readonly category_uid: number;
  readonly category_name: string;
}

export interface OcsfSchema {
  readonly version: string;
  readonly classes: Readonly<Record<string, OcsfClassDefinition>>;
  readonly objects: Readonly<Record<string, Definition>>;
  readonly dictionary: {
    readonly types: {
      readonly attributes: Readonly<
        Record<
          string,
          {
            readonly type?: string;
            readonly regex?: string;
            readonly max_len?: number;
            readonly range?: readonly [number, number];
          }
        >
      >;
    };
  };
}

/** The schema, or why its tests cannot run. Throws in CI, where it must be had. */
export async function publishedSchema(): Promise<OcsfSchema | ToolTest> {
  try {
    if (!existsSync(CACHED)) await download();
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return { skip: 'the published OCSF schema could not be had: python3 with pip and the Python index' };
  }
  const bytes = readFileSync(CACHED);
  assert.equal(
    createHash('sha256').update(bytes).digest('hex'),
    DIGEST,
    `${CACHED} is not the schema; remove it`,
  );
  return JSON.parse(bytes.toString('utf8')) as OcsfSchema;
}

async function download(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'countersign-ocsf-'));
  try {
    const requirements = join(import.meta.dirname, 'ocsf-requirements.txt');
    const options = [
      '--no-deps',
      '--only-binary',
      ':all:',
      '--require-hashes',
      '--quiet',
      '-r',
      requirements,
    ];
    await run('python3', ['-m', 'pip', 'download', ...options, '-d', scratch]);
    const wheel = readdirSync(scratch).find((file) => file.endsWith('.whl'));
    await run('python3', ['-m', 'zipfile', '-e', join(scratch, wheel ?? ''), scratch]);
    renameSync(join(scratch, 'ocsf_json_schema/ocsf/1.8.0.json'), CACHED);
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    throw new Error(
      `The OCSF schema could not be had: it needs python3 with pip (Debian: python3-pip) and the Python index. ${stderr ?? ''}`,
      { cause: error },
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
