#!/usr/bin/env node
/** `countersign-verify`: checks a log, or the proof of one leaf, offline. Exit codes: `EXIT_CODES`; 2 for wrong usage. */

import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EXIT_CODES, FormatError, SourceError } from './index.ts';
import { openSource } from './log-source.ts';
import { parseVerifierKey, type NoteVerifier } from './note.ts';
import { parseProof, verifyLeafProof } from './proof.ts';
import { formatReport, printable } from './report-text.ts';
import { parseCertificates } from './timestamp-authority.ts';
import { VaultChecks } from './vault-checks.ts';
import { VaultReader } from './vault-reader.ts';
import { verifyLog, type VerifyOptions } from './verify-log.ts';
import { splitWitness, witnessOf, type WitnessVerifier } from './witnesses.ts';

const USAGE = `usage: countersign-verify <directory|url> [--key KEY] [--earlier FILE]... [--witness [ORG=]KEY]...
                          [--require-witness N] [--max-unwitnessed SECONDS] [--tsa-ca FILE]...
                          [--vault DIR --custodian-key FILE] [--json]
       countersign-verify --proof FILE --key KEY [--json]

KEY is a verifier key (name+id+base64) or a file that holds one. Without --key the key is read from the log itself.
Witnesses of one organisation count once: --witness bank-b=KEY. --require-witness counts organisations (default 1 when a
witness is given), --max-unwitnessed is how far the log may be ahead of them (default 90). --tsa-ca: certificates in PEM
that the authorities of time stamps must lead to.
`;
const USAGE_EXIT = 2;

class UsageError extends Error {}

function parseCommandLine(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        earlier: { type: 'string', multiple: true },
        witness: { type: 'string', multiple: true },
        'require-witness': { type: 'string' },
        'max-unwitnessed': { type: 'string' },
        'tsa-ca': { type: 'string', multiple: true },
        vault: { type: 'string' },
        'custodian-key': { type: 'string' },
        proof: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function readInput(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new SourceError(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    );
  });
}

async function readKey(text: string): Promise<NoteVerifier> {
  return parseVerifierKey(/^[^\s+]+\+[0-9a-f]{8}\+/.test(text) ? text : await readInput(text));
}

/** PEM files of certificates that authorities of time stamps lead to. */
async function readAuthorities(files: readonly string[]): Promise<X509Certificate[]> {
  return (await Promise.all(files.map(readInput))).flatMap(parseCertificates);
}

async function readWitness(text: string): Promise<WitnessVerifier> {
  const { key, organisation } = splitWitness(text);
  return witnessOf(await readKey(key), organisation);
}

type Values = ReturnType<typeof parseCommandLine>['values'];

async function checkProof(file: string, values: Values): Promise<number> {
  if (values.key === undefined) throw new UsageError('a proof is checked with --key');
  const key = await readKey(values.key);
  const proof = parseProof(await readInput(file));
  const isValid = verifyLeafProof(proof, key);
  const verdict = isValid ? 'VERIFIED' : 'ALTERED';
  const { checkpoint, index, leaf } = proof;
  if (values.json === true) {
    const report = {
      verdict,
      exitCode: EXIT_CODES[verdict],
      origin: checkpoint.origin,
      size: checkpoint.size,
      index,
    };
    process.stdout.write(
      `${JSON.stringify(isValid ? { ...report, leaf: leaf.toString('utf8') } : report)}\n`,
    );
  } else {
    process.stdout.write(
      printable(`${verdict}\nleaf ${index} of ${checkpoint.size} in ${checkpoint.origin}\n`),
    );
    if (isValid) process.stdout.write(printable(`${leaf.toString('utf8')}\n`));
  }
  return EXIT_CODES[verdict];
}

async function vaultOption(values: Values): Promise<Pick<VerifyOptions, 'visitor'>> {
  const { vault, 'custodian-key': keyFile } = values;
  if (vault === undefined && keyFile === undefined) return {};
  if (vault === undefined || keyFile === undefined)
    throw new UsageError('--vault and --custodian-key go together');
  let privateKey;
  try {
    privateKey = createPrivateKey(await readInput(keyFile));
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new FormatError('the custodian key is not a private key in PEM', { cause: error });
  }
  return { visitor: (findings) => new VaultChecks(new VaultReader(vault, privateKey), findings) };
}

function parseNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number))
    throw new UsageError(`${option} takes a number`);
  return number;
}

async function checkLog(location: string, values: Values): Promise<number> {
  const requireWitnesses = parseNumber(values['require-witness'], '--require-witness');
  const maxUnwitnessedSeconds = parseNumber(values['max-unwitnessed'], '--max-unwitnessed');
  const report = await verifyLog(await openSource(location, { isBlocking: true }), {
    ...(values.key !== undefined && { key: await readKey(values.key) }),
    earlier: await Promise.all((values.earlier ?? []).map(readInput)),
    witnesses: await Promise.all((values.witness ?? []).map(readWitness)),
    ...(requireWitnesses !== undefined && { requireWitnesses }),
    ...(maxUnwitnessedSeconds !== undefined && { maxUnwitnessedSeconds }),
    timestampAuthorities: await readAuthorities(values['tsa-ca'] ?? []),
    ...(await vaultOption(values)),
  });
  process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : formatReport(report));
  return report.exitCode;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { positionals, values } = parseCommandLine(args);
    if (values.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    if (values.proof !== undefined && positionals.length === 0) return await checkProof(values.proof, values);
    if (positionals.length !== 1 || values.proof !== undefined)
      throw new UsageError('one log, or --proof, is needed');
    return await checkLog(positionals[0]!, values);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n${USAGE}`);
      return USAGE_EXIT;
    }
    if (error instanceof FormatError || error instanceof SourceError) {
      process.stdout.write(printable(`CANNOT-VERIFY\n${error.message}\n`));
      return EXIT_CODES['CANNOT-VERIFY'];
    }
    throw error;
  }
}

// Whoever pipes into `head` has seen enough; the verdict is in the exit code too.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2));
