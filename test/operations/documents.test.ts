/** Documents that operators rely on say what the code says. */

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { configJsonSchema } from '../../packages/gateway/src/config/json-schema.ts';
import { ERROR_SURFACES } from '../../packages/gateway/src/errors.ts';
import { createMetrics } from '../../packages/gateway/src/observe/metrics.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const operations = readFileSync(join(DOCS, 'operations.md'), 'utf8');
const configuration = readFileSync(join(DOCS, 'configuration.md'), 'utf8');

test('every metric is described, and none that does not exist', async () => {
  const registry = createMetrics({
    recorder: {
      health: () => ({
        ready: true,
        durableJseq: 0,
        appendedJseq: 0,
        integratedJseq: 0,
        treeSize: 0,
        checkpointAgeMs: 0,
        freeBytes: 0,
      }),
      onCommit: () => {},
    },
    sessions: () => 0,
    connections: () => ({ open: 0, pending: 0 }),
    refusals: () => new Map(),
    cancels: () => ({ known: 0, unknown: 0 }),
    traffic: () => ({ commands: 0, bytesUp: 0, bytesDown: 0, unrecordedRefusals: 0 }),
    masking: () => ({ masked: new Map(), unmasked: new Map(), probed: new Map(), refused: new Map() }),
    notReady: () => undefined,
    version: '0',
  });
  const metrics = await registry.getMetricsAsJSON();
  const names = metrics.map(({ name }) => name).filter((name) => name.startsWith('countersign_'));
  const described = new Set(Array.from(operations.matchAll(/`(countersign_\w+)/g), ([, name]) => name));
  assert.deepEqual(described, new Set(names));
});

test('every error code has its row', () => {
  const rows = Object.entries(ERROR_SURFACES).map(
    ([code, { sqlState, exit, retryable, sentence }]) =>
      `| \`${code}\` | ${sqlState} | ${exit} | ${retryable ? 'yes' : 'no'} | ${sentence} |`,
  );
  const described = operations.split('\n').filter((line) => line.startsWith('| `CS_'));
  assert.deepEqual(described, rows);
});

test('every configuration key is described', () => {
  const missing = keysOf(JSON.parse(configJsonSchema()) as SchemaNode).filter(
    (key) => !new RegExp(`[\`.]${key}\\b`).test(configuration),
  );
  assert.deepEqual(missing, []);
});

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
}

function keysOf(node: SchemaNode): string[] {
  const keys: string[] = [];
  for (const [key, child] of Object.entries(node.properties ?? {})) keys.push(key, ...keysOf(child));
  if (typeof node.additionalProperties === 'object') keys.push(...keysOf(node.additionalProperties));
  if (node.items !== undefined) keys.push(...keysOf(node.items));
  return keys;
}

/** `[text](path)` and `[name]: path`, without what is on the web. */
const LINK = /\]\((?!https?:|mailto:)([^)\s]+)\)|^\[[^\]]+\]:\s+(?!https?:|mailto:)(\S+)$/gm;

test('every relative link in a document leads somewhere, to its heading too', () => {
  const root = join(DOCS, '..');
  const files = globSync('**/*.md', { cwd: root, exclude: (name) => /^(node_modules|dist)$|^\./.test(name) });
  assert.ok(files.includes('README.md'), 'the documents were not found');
  const links = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    return Array.from(text.matchAll(LINK), ([, inline, reference]) => ({
      file,
      link: inline ?? reference ?? '',
    }));
  });
  assert.ok(links.length > 20, 'the links were not found');
  assert.deepEqual(
    links.filter(({ file, link }) => !leadsSomewhere(join(root, file), link)),
    [],
  );
});

function leadsSomewhere(file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : join(dirname(file), decodeURI(path));
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).has(anchor);
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}
