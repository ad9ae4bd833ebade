/** What the record says, asked with the same commands that a stranger would use, in processes of their own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DemoFolder } from './folder.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'packages', 'gateway', 'src', 'cli', 'main.ts');

interface Output {
  readonly code: number;
  readonly text: string;
}

function countersign(args: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
    execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
      resolve({ code, text: stdout === '' ? stderr : stdout });
    });
  });
}

export interface Verification {
  readonly verdict: string;
  /** The report of `countersign log verify`. */
  readonly text: string;
}

/** Runs `countersign log verify`. */
export async function verify(folder: DemoFolder): Promise<Verification> {
  const { text } = await countersign(['log', 'verify', folder.logDirectory]);
  return { verdict: text.split('\n')[0] ?? '', text: text.trimEnd() };
}

/** What a statement would do, for each principal, by `countersign explain`: nothing of it is run. */
export async function explain(folder: DemoFolder, sql: string): Promise<string> {
  const { text } = await countersign(['explain', 'bank', sql, '--config', folder.configFile]);
  return text.trimEnd();
}

interface ShownLeaf {
  readonly index: number;
  readonly leaf: {
    readonly type: string;
    readonly id?: string;
    readonly jseq: number;
    readonly call?: string;
    readonly context?: { readonly jseq: number };
    readonly principal?: string;
    readonly status?: string;
    readonly sqlstate?: string;
    readonly rows?: number;
    readonly objects?: readonly string[];
    readonly masked?: readonly MaskedColumn[];
    readonly decision?: { readonly policies: readonly string[]; readonly reasons: readonly string[] };
  };
  readonly contents?: readonly { readonly field: string; readonly bytes?: string }[];
}

/** Values that left masked. */
export interface MaskedColumn {
  readonly object: string;
  readonly class: string;
  readonly transform: string;
  readonly count: number;
}

export interface RecordedCall {
  readonly denied: boolean;
  /** Its place in the log. */
  readonly index: number;
  readonly principal: string;
  readonly statement: string;
  /** What it touches, by the names of the catalog; nothing of a call that was refused. */
  readonly objects: readonly string[];
  /** The grant and the policies that decided. */
  readonly decidedBy: readonly string[];
  readonly outcome: string;
  readonly masked: readonly MaskedColumn[];
}

function outcomeOf(call: ShownLeaf, result: ShownLeaf | undefined): string {
  if (call.leaf.type === 'call.denied') {
    return call.leaf.decision?.reasons.join(' ') ?? '';
  }
  if (result === undefined) {
    return 'no result yet';
  }
  const { status, sqlstate, rows } = result.leaf;
  // The result of a statement of the gateway's own does not say how many rows it had.
  if (status === 'ok') return rows === undefined ? 'ok' : `ok, ${rows} rows`;
  return `${status} ${sqlstate ?? ''}`.trimEnd();
}

function recordedCalls(leaves: readonly ShownLeaf[]): readonly RecordedCall[] {
  const contexts = new Map(leaves.map(({ leaf }) => [leaf.jseq, leaf]));
  const results = new Map(leaves.map((shown) => [shown.leaf.call, shown]));
  return leaves
    .filter(({ leaf }) => leaf.type === 'call.intent' || leaf.type === 'call.denied')
    .map((shown) => {
      const result = results.get(shown.leaf.id);
      const bytes = shown.contents?.find(({ field }) => field === 'statement')?.bytes ?? '';
      return {
        index: shown.index,
        denied: shown.leaf.type === 'call.denied',
        principal: contexts.get(shown.leaf.context?.jseq ?? -1)?.principal ?? '?',
        objects: shown.leaf.objects ?? [],
        decidedBy: shown.leaf.decision?.policies ?? [],
        statement: Buffer.from(bytes, 'base64').toString('utf8').replaceAll(/\s+/g, ' ').trim(),
        outcome: outcomeOf(shown, result),
        masked: result?.leaf.masked ?? [],
      };
    });
}

/** Questions of the gateway itself (when did this backend start?) are on the record under this name. */
const OWN_PRINCIPAL = 'gateway';

/** A checkpoint is signed within a second; until then a leaf is durable but not published. */
const PUBLISHED_WITHIN_MS = 15_000;

/** Enough for the last calls with the sessions around them; a demo that was used a lot has many more. */
const RECENT_LEAVES = 400;

/** The last `count` calls of clients with their statements, by `countersign log show` with the custodian's key. */
export async function lastCalls(folder: DemoFolder, count: number): Promise<readonly RecordedCall[]> {
  let calls: readonly RecordedCall[] = [];
  for (let waited = 0; waited < PUBLISHED_WITHIN_MS; waited += 500) {
    const log = ['log', 'show', folder.logDirectory, '--json', '--last', String(RECENT_LEAVES)];
    const args = [...log, '--custodian-key', folder.custodianKeyFile];
    const { code, text } = await countersign(args);
    const all = code === 0 ? recordedCalls(JSON.parse(text) as readonly ShownLeaf[]) : [];
    calls = all.filter(({ principal }) => principal !== OWN_PRINCIPAL);
    const complete = calls.slice(-count).every(({ outcome }) => outcome !== 'no result yet');
    if (calls.length >= count && complete) {
      break;
    }
    await delay(500);
  }
  return calls.slice(-count);
}
