import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import {
  FormatError,
  parseCertificates,
  parseVerifierKey,
  SourceError,
  splitWitness,
  witnessOf,
} from 'countersign-verify';
import type { NoteVerifier, WitnessVerifier } from 'countersign-verify';

import { CountersignError } from '../errors.ts';
import { inputError, usageError } from './output.ts';

/** Runs `work` on a log; what the reader of the log throws becomes an error that says which file is missing or damaged. */
export async function withLogErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SourceError) {
      throw new CountersignError('CS_LOG_UNREADABLE', {
        detail: error.message,
        hint: 'Name the directory that holds "checkpoint", its state directory, or a URL.',
        cause: error,
      });
    }
    if (error instanceof FormatError) {
      throw new CountersignError('CS_RECORD_CORRUPT', {
        detail: error.message,
        hint: 'countersign log verify says what is damaged.',
        cause: error,
      });
    }
    throw error;
  }
}

/** A verifier key given as text (`name+id+base64`) or as a file that holds one. */
export async function readVerifierKey(text: string): Promise<NoteVerifier> {
  try {
    return parseVerifierKey(/^[^\s+]+\+[0-9a-f]{8}\+/.test(text) ? text : await readInput(text));
  } catch (error) {
    if (error instanceof FormatError) throw inputError('the key is not a verifier key (name+id+base64)');
    throw error;
  }
}

/** The key of a witness, with or without its organisation in front: `ORG=KEY`. Throws `CS_INPUT_UNUSABLE`. */
export async function readWitnessKey(text: string): Promise<WitnessVerifier> {
  const { key, organisation } = splitWitness(text);
  const verifier = await readVerifierKey(key);
  try {
    return witnessOf(verifier, organisation);
  } catch {
    throw inputError('the key is not the key of a witness (algorithm 0x04)');
  }
}

/** A file named on the command line. Throws `CS_INPUT_UNUSABLE`. */
export async function readInput(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw inputError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** A whole number of at least 0 given as an option. */
export function parseCount(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usageError(`${option} needs a number`);
  return Number(text);
}

/** Certificates in a file, PEM. Throws `CS_INPUT_UNUSABLE`. */
export async function readCertificates(file: string): Promise<readonly X509Certificate[]> {
  try {
    return parseCertificates(await readInput(file));
  } catch (error) {
    if (error instanceof FormatError) throw inputError(`${file}: ${error.message}`);
    throw error;
  }
}
