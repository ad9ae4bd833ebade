/**
 * `npm run bench record`: what the record costs behind the traffic. Leaves integrated per second, a log of a million
 * leaves verified (time and memory), and the start after a crash with 100,000 open sessions. Each in fresh
 * processes, one after the other.
 *
 *     npm run bench record -- [--leaves 1000000] [--integrate 200000] [--sessions 100000] [--rounds 3]
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateSigningKey, generateVaultKeyPair } from '../packages/gateway/src/record/keys.ts';

const ROOT = join(import.meta.dirname, '..');
const STAGE = join(import.meta.dirname, 'record-stage.ts');
const VERIFY = join(ROOT, 'packages', 'verify', 'src', 'cli.ts');
/** Prints what a process used when it ends, for programs that do not say so themselves. */
const METER = `data:text/javascript,process.on('exit',()=>{const u=process.resourceUsage();process.stderr.write(JSON.stringify({cpuSeconds:(u.userCPUTime+u.systemCPUTime)/1e6,peakMiB:u.maxRSS/1024})+'\\n')})`;

const environment = {
  ...process.env,
  BENCH_SIGNING_KEY: generateSigningKey(),
  BENCH_CUSTODIAN_KEY: generateVaultKeyPair().publicKey,
};

type Figures = Readonly<Record<string, number>>;

function lastLine(text: string): Figures {
  return JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Figures;
}

/** Runs one stage; `isKilled` is one that ends itself the hard way. */
function runStage(stage: string, directory: string, count: number, isKilled = false): Figures {
  const run = spawnSync(process.execPath, [STAGE, stage, directory, String(count)], {
    env: environment,
    encoding: 'utf8',
  });
  if (isKilled && run.signal === 'SIGKILL') return {};
  if (run.status !== 0) throw new Error(`${stage} failed: ${run.stderr}`);
  return lastLine(run.stdout);
}

function verify(directory: string): Figures {
  const startedAt = performance.now();
  const run = spawnSync(process.execPath, ['--import', METER, VERIFY, directory, '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { verdict } = JSON.parse(run.stdout) as { readonly verdict: string };
  if (verdict !== 'VERIFIED') throw new Error(`the log is ${verdict}`);
  return { seconds, ...lastLine(run.stderr) };
}

/** All runs of one measurement, each figure's median. */
function median(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const sorted = runs.map((run) => run[name]!).toSorted((a, b) => a - b);
      return [name, sorted[Math.floor(sorted.length / 2)]!];
    }),
  );
}

function inDirectory<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-record-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const whole = (value: number | undefined): string => Math.round(value ?? Number.NaN).toLocaleString('en-US');
const tenths = (value: number | undefined): string => (value ?? Number.NaN).toFixed(1);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function row(what: string, figures: Figures, rate: string): void {
  const cpu = figures['cpuSeconds'] === undefined ? '–' : tenths(figures['cpuSeconds']);
  say(`| ${what} | ${tenths(figures['seconds'])} | ${cpu} | ${whole(figures['peakMiB'])} | ${rate} |`);
}

function main(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      leaves: { type: 'string', default: '1000000' },
      integrate: { type: 'string', default: '200000' },
      sessions: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const leaves = Number(values.leaves);
  const integrated = Number(values.integrate);
  const sessions = Number(values.sessions);
  const rounds = Array.from({ length: Number(values.rounds) }, (_, i) => i);
  say(
    `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${whole(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
  );
  say(`load ${loadavg().map(tenths).join(' ')} before; median of ${rounds.length} runs\n`);
  say('| | seconds | CPU seconds | peak MiB | |\n|---|---:|---:|---:|---|');
  const integrating = rounds.map(() =>
    inDirectory((directory) => {
      runStage('fill', directory, integrated, true);
      return runStage('integrate', directory, 0);
    }),
  );
  const best = median(integrating);
  row(
    `${whole(best['size'])} leaves integrated`,
    best,
    `${whole((best['size'] ?? 0) / (best['seconds'] ?? 1))} leaves/s`,
  );
  const verifying = inDirectory((directory) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'large-log.ts'), directory, String(leaves)],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return median(rounds.map(() => verify(directory)));
  });
  row(
    `${whole(leaves)} leaves verified`,
    verifying,
    `${whole(leaves / (verifying['seconds'] ?? 1))} leaves/s`,
  );
  const recovering = rounds.map(() =>
    inDirectory((directory) => {
      runStage('open-sessions', directory, sessions, true);
      return runStage('recover', directory, 0);
    }),
  );
  row(
    `start after a crash with ${whole(sessions)} open sessions and calls`,
    median(recovering),
    'until it may listen',
  );
  say(`\nload ${loadavg().map(tenths).join(' ')} after`);
}

main(process.argv.slice(2).filter((argument) => argument !== 'record'));
