import { z } from 'zod';

import { nearestKey } from './nearest-key.ts';
import type { SectionProblem } from './problem.ts';
import { name } from './schema-parts.ts';

/** One who may approve requests about sealed contents, or read them. */
export interface CustodyPerson {
  readonly name: string;
  /** The accountable person or team; the record holds a commitment. Officers of one owner count once. */
  readonly owner: string;
  /** Ed25519 public key, 32 bytes, base64url. */
  readonly key: string;
}

export interface CustodyConfig {
  readonly officers: readonly CustodyPerson[];
  /** Officers of different owners that a request needs. At least 2. */
  readonly approvals: number;
  /** Who may open sealed contents through the gateway; empty: whoever can reach the control socket. */
  readonly readers: readonly CustodyPerson[];
}

export interface RetentionConfig {
  readonly classes: readonly { readonly class: string; readonly keepDays: number }[];
  /** Whether officers must approve each disposal. Default true. */
  readonly requireApproval: boolean;
}

const person = z.strictObject({
  name: name('Opaque id; it appears in the record in clear.'),
  owner: z
    .string()
    .min(1)
    .max(200)
    .describe('The accountable person or team. Kept sealed. Officers of one owner count once.'),
  key: z
    .string()
    .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, {
      error: 'must be an Ed25519 public key, 32 bytes in base64url (countersign custody keygen makes one)',
    })
    .describe(
      'Ed25519 public key, base64url (countersign custody keygen). The private half stays with its owner.',
    ),
});

/** A name under which contents are sealed and erased together. */
export const retentionClass = z.string().regex(/^[a-z0-9-]{1,32}$/, {
  error: 'must be lower-case letters, digits and dashes, at most 32',
});

export const custodySection = z
  .strictObject({
    officers: z
      .array(person)
      .min(2)
      .max(50)
      .describe('Who approves erasures, releases of holds and the like.'),
    approvals: z
      .int()
      .min(2)
      .max(10)
      .default(2)
      .describe('How many officers of different owners a request needs.'),
    readers: z
      .array(person)
      .max(200)
      .default([])
      .describe(
        'Who may open sealed contents through the gateway. Empty: whoever can reach its control socket.',
      ),
  })
  .describe('Who decides over sealed contents. Changes need the approval of the officers in force.');

export const retentionSection = z
  .strictObject({
    classes: z
      .record(
        retentionClass,
        z.strictObject({
          keep: z
            .string()
            .regex(/^[1-9]\d{0,4}d$/, { error: 'must be a number of days, such as 365d' })
            .describe('How long contents are kept after the end of their month, in days: 365d.'),
        }),
      )
      .describe('By retention class. A class that is not named is kept for ever.'),
    requireApproval: z
      .boolean()
      .default(true)
      .describe('Whether officers approve each disposal. false: what is due is erased by itself.'),
  })
  .describe('How long contents are kept. Longer takes effect by itself; shorter needs the officers.');

export function assembleRetention(section: z.infer<typeof retentionSection>): RetentionConfig {
  return {
    requireApproval: section.requireApproval,
    classes: Object.entries(section.classes).map(([each, { keep }]) => ({
      class: each,
      keepDays: Number.parseInt(keep, 10),
    })),
  };
}

/** What the schema cannot see. */
export function checkCustodySections(
  custody: CustodyConfig | undefined,
  retention: RetentionConfig | undefined,
): SectionProblem[] {
  const problems: SectionProblem[] = [];
  if (retention !== undefined && custody === undefined) {
    problems.push({
      severity: 'error',
      path: ['retention'],
      message: 'a schedule needs officers who decided it',
      hint: 'add custody.officers',
    });
  }
  if (custody === undefined) return problems;
  for (const list of ['officers', 'readers'] as const) problems.push(...repeated(list, custody[list]));
  const owners = new Set(custody.officers.map(({ owner }) => owner.trim().toLowerCase())).size;
  if (owners < custody.approvals) {
    problems.push({
      severity: 'error',
      path: ['custody', 'approvals'],
      message: `the officers have ${owners} different owners: no request could ever be approved`,
    });
  } else if (owners === custody.approvals) {
    problems.push({
      severity: 'warning',
      path: ['custody', 'officers'],
      message: 'when one officer loses the key, nothing can be approved any more, a new officer neither',
      hint: 'name an officer of one more owner',
    });
  }
  return problems;
}

/** Contents under a class that the schedule does not know would be kept for ever, which nobody meant who wrote a schedule. */
export function checkTargetClasses(
  targets: readonly { readonly name: string; readonly retentionClass?: string }[],
  retention: RetentionConfig | undefined,
): SectionProblem[] {
  if (retention === undefined) return [];
  const known = retention.classes.map((each) => each.class);
  return targets.flatMap(({ name, retentionClass }) => {
    if (retentionClass === undefined || known.includes(retentionClass)) return [];
    const near = nearestKey(retentionClass, known);
    return [
      {
        severity: 'error' as const,
        path: ['targets', name, 'retentionClass'],
        message: `retention.classes has no class ${retentionClass}`,
        hint: near === undefined ? 'add it, with how long it is kept' : `did you mean ${near}?`,
      },
    ];
  });
}

function repeated(list: 'officers' | 'readers', persons: readonly CustodyPerson[]): SectionProblem[] {
  return (['name', 'key'] as const).flatMap((field) =>
    persons.flatMap((each, index) =>
      persons.findIndex((other) => other[field] === each[field]) === index
        ? []
        : [
            {
              severity: 'error' as const,
              path: ['custody', list, index, field],
              message: `this ${field} is given twice`,
            },
          ],
    ),
  );
}
