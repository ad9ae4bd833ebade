import { ALGORITHM_COSIGNATURE, parseVerifierKey } from 'countersign-verify';
import { z } from 'zod';

import { isLoopbackHost } from './addresses.ts';
import type { SecretRef } from './config.ts';
import type { SectionProblem } from './problem.ts';
import { duration, durationOrNone, name, secretRef } from './schema-parts.ts';

/** One witness that is asked to cosign this log's checkpoints. */
export interface WitnessPeer {
  /** Submission prefix, without a slash at its end. */
  readonly url: string;
  /** Prefix for reading what the witness cosigned; a countersign witness has it. Default: `url`. */
  readonly monitoring: string;
  /** Verifier key, algorithm 0x04. */
  readonly key: string;
  readonly organisation: string;
  /** It is the operator's: it is asked, and finds a rollback as any other, but its word counts for nothing with others. */
  readonly isOwn: boolean;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: SecretRef;
}

export interface WitnessConfig {
  /** The organisation that runs this gateway. */
  readonly operator: string;
  /** Other organisations that must have cosigned one checkpoint. */
  readonly quorum: number;
  readonly timeoutMs: number;
  /** Commands are refused while the unwitnessed window is longer; 0: never. */
  readonly maxUnwitnessedMs: number;
  readonly witnesses: readonly WitnessPeer[];
}

/** More would not fit into a checkpoint's note beside the log's own line. */
const MAX_WITNESSES = 32;

/** A checkpoint, the pause between two rounds and a slow witness together take seconds. */
const SHORT_WINDOW_MS = 10_000;

const prefix = (what: string) =>
  z
    .string()
    .refine(isPrefix, { error: 'must be an http or https URL without user, query and fragment' })
    .describe(what);

export const witnessSection = z
  .strictObject({
    operator: name('The organisation that runs this gateway. Its own witnesses are asked and never counted.'),
    quorum: z
      .int()
      .min(1)
      .max(MAX_WITNESSES)
      .optional()
      .describe(
        'Organisations besides the operator that must have cosigned one checkpoint. Default: all that are named.',
      ),
    timeout: duration('10s', 'Longest wait for an answer of a witness.', { min: 100, max: 120_000 }),
    maxUnwitnessed: durationOrNone(
      'Commands are refused while the oldest leaf that no quorum has seen is older. 0: it is only told.',
    ),
    witnesses: z
      .array(
        z.strictObject({
          url: prefix('Submission prefix of the witness; /add-checkpoint is appended.'),
          monitoring: prefix('Prefix for reading back what it cosigned. Default: url.').optional(),
          key: z
            .string()
            .refine(isWitnessKey, {
              error: 'must be the verifier key of a witness: name+id+base64, algorithm 0x04',
            })
            .describe('Verifier key of the witness.'),
          organisation: name('Whose witness it is: witnesses of one organisation count once.'),
          ca: secretRef('Certificates to trust for it instead of the system, PEM.').optional(),
        }),
      )
      .min(1)
      .max(MAX_WITNESSES)
      .describe('Who is asked to cosign each checkpoint (C2SP tlog-witness).'),
  })
  .describe('Witnesses: organisations that see every checkpoint, so that nobody can rewrite the record.');

type WitnessShape = z.infer<typeof witnessSection>;

function isPrefix(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  const isBare = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return isBare && (url.protocol === 'https:' || url.protocol === 'http:');
}

function isWitnessKey(text: string): boolean {
  try {
    return parseVerifierKey(text).algorithm === ALGORITHM_COSIGNATURE;
  } catch {
    return false;
  }
}

export function assembleWitness(
  shape: WitnessShape,
  secret: (reference: string) => SecretRef,
): WitnessConfig {
  const witnesses = shape.witnesses.map((witness) => ({
    url: withoutSlash(witness.url),
    monitoring: withoutSlash(witness.monitoring ?? witness.url),
    key: witness.key.trim(),
    organisation: witness.organisation,
    isOwn: witness.organisation === shape.operator,
    ...(witness.ca === undefined ? {} : { ca: secret(witness.ca) }),
  }));
  return {
    operator: shape.operator,
    quorum: shape.quorum ?? organisationsOf(witnesses).size,
    timeoutMs: shape.timeout,
    maxUnwitnessedMs: shape.maxUnwitnessed,
    witnesses,
  };
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

/** Those that do not answer to whoever writes the log. */
function organisationsOf(witnesses: readonly WitnessPeer[]): ReadonlySet<string> {
  return new Set(witnesses.filter(({ isOwn }) => !isOwn).map(({ organisation }) => organisation));
}

/** What the schema cannot see: keys given twice, a quorum that can never be reached, witnesses that are none. */
export function checkWitness(config: WitnessConfig): readonly SectionProblem[] {
  const problems: SectionProblem[] = [];
  const organisations = organisationsOf(config.witnesses);
  if (organisations.size === 0) {
    problems.push({
      severity: 'error',
      path: ['witness', 'witnesses'],
      message: 'all of them belong to the operator: nobody else would see the record',
      hint: 'ask another organisation to run a witness',
    });
  } else if (config.quorum > organisations.size) {
    problems.push({
      severity: 'error',
      path: ['witness', 'quorum'],
      message: `needs ${config.quorum} organisations besides the operator, and the witnesses belong to ${organisations.size}`,
    });
  }
  if (config.maxUnwitnessedMs > 0 && config.maxUnwitnessedMs < SHORT_WINDOW_MS) {
    problems.push({
      severity: 'warning',
      path: ['witness', 'maxUnwitnessed'],
      message: 'so short a window can pass on the way to a witness: commands will be refused without cause',
      hint: 'at least 10s',
    });
  }
  const keys = new Set<string>();
  for (const [index, witness] of config.witnesses.entries()) {
    const path = ['witness', 'witnesses', index] as const;
    const key = parseVerifierKey(witness.key).publicKey.toString('hex');
    if (keys.has(key)) {
      problems.push({ severity: 'error', path: [...path, 'key'], message: 'this key is given twice' });
    }
    keys.add(key);
    problems.push(...checkPeer(witness, path));
  }
  return problems;
}

function checkPeer(witness: WitnessPeer, path: readonly PropertyKey[]): readonly SectionProblem[] {
  const problems: SectionProblem[] = [];
  if (witness.isOwn) {
    problems.push({
      severity: 'warning',
      path: [...path, 'organisation'],
      message: 'the operator witnesses its own log: it is asked, and does not count',
      hint: 'it finds a rollback as any other; a quorum needs other organisations',
    });
  }
  const url = new URL(witness.url);
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname.replaceAll(/^\[|\]$/g, ''))) {
    problems.push({
      severity: 'warning',
      path: [...path, 'url'],
      message: 'plain HTTP beyond loopback: whoever is in between can keep the witness from being heard',
      hint: 'use https',
    });
  }
  return problems;
}
