/**
 * `npm test [-- options] [-- part of a file name …]`: sets up what is missing, then runs all tests (or those whose
 * path contains one of the given parts). The last line says how many passed and failed.
 *
 *   --kill         only the kill tests, in their long form (its own options follow: --kills N, --minutes N)
 *   --setup        only set up
 *   --concurrency N  test files at a time; default 2
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT, childEnvironment, ensureInstalled, fail, prepare, runInPlace } from './project.mjs';
import { endStuckFiles } from './stuck-files.mjs';

/** A file that has not ended by then hangs. The kill loop in CI takes some minutes; the long form sets its own end. */
const FILE_TIMEOUT_MS = 15 * 60 * 1000;
/** So long may its process go on when its last test was given up. */
const FILE_GRACE_MS = 60 * 1000;

/**
 * A run of everything that passes fewer has lost some: a file that is no longer found, a report that was cut off. Raise it with
 * what you add; lower it only with the tests that you remove.
 */
const LEAST_PASSED = 5900;

const ROOMS = ['packages', 'test', 'examples', 'bench', 'scripts'];
const SKIPPED = new Set(['node_modules', 'dist']);

function parseArguments(args) {
  const options = { kill: false, setup: false, concurrency: 2, parts: [], forKill: [] };
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index];
    if (argument === '--kill') {
      options.kill = true;
    } else if (argument === '--setup') {
      options.setup = true;
    } else if (argument === '--concurrency') {
      index += 1;
      options.concurrency = Number(args[index]);
    } else if (options.kill) {
      options.forKill.push(argument);
    } else if (argument.startsWith('-')) {
      fail(`Unknown option ${argument}. Known: --kill, --setup, --concurrency N, and parts of file names.`);
    } else {
      options.parts.push(argument);
    }
  }
  if (!Number.isInteger(options.concurrency) || options.concurrency < 1) {
    fail('--concurrency needs a whole number from 1 up.');
  }
  return options;
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return SKIPPED.has(entry.name) ? [] : testFiles(path);
    }
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

/** The longest first, so that the last worker is not alone with it. */
const weight = (path) => (path.startsWith('test/kill/') ? 0 : path.startsWith('test/') ? 1 : 2);

function selected({ kill, parts }) {
  const all = ROOMS.flatMap((room) => testFiles(join(ROOT, room))).map((path) => relative(ROOT, path));
  const wanted = kill ? ['test/kill/'] : parts;
  const files = wanted.length === 0 ? all : all.filter((path) => wanted.some((part) => path.includes(part)));
  return files.sort((a, b) => weight(a) - weight(b));
}

/** node:test's own totals, from the end of its TAP report. */
function totals(report) {
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(report)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') + count('cancelled'), skipped: count('skipped') };
}

const options = parseArguments(process.argv.slice(2));
const node = prepare();
ensureInstalled(join(ROOT, 'test', 'servers'), 'the PostgreSQL servers for the tests');
if (options.setup) {
  process.exit(0);
}
const files = selected(options);
if (files.length === 0) {
  fail('No test file matches.');
}
const scratch = mkdtempSync(join(tmpdir(), 'countersign-test-'));
const report = join(scratch, 'report.tap');
const flags = [
  '--test',
  `--test-concurrency=${options.concurrency}`,
  ...(options.kill ? [] : [`--test-timeout=${FILE_TIMEOUT_MS}`]),
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  '--test-reporter=tap',
  `--test-reporter-destination=${report}`,
];
const code = await runInPlace(node, [...flags, ...files], {
  cwd: ROOT,
  onStart: (pid) => {
    if (!options.kill) endStuckFiles(pid, FILE_TIMEOUT_MS + FILE_GRACE_MS);
  },
  env: {
    ...childEnvironment(node),
    ...(options.kill ? { COUNTERSIGN_KILL_OPTIONS: JSON.stringify(['--long', ...options.forKill]) } : {}),
  },
});
const { passed, failed: failedTests, skipped } = totals(readFileSync(report, 'utf8'));
rmSync(scratch, { recursive: true, force: true });
// node:test does not count what fails outside a test (a hook, a file that does not load), but its exit code knows.
const failed = code !== 0 && failedTests === 0 ? 1 : failedTests;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
// A run that counted nothing has shown nothing.
const least = !options.kill && options.parts.length === 0 ? LEAST_PASSED : 1;
if (failed === 0 && passed + skipped < least) {
  process.stdout.write(
    `Only ${passed} passed of at least ${least}: some were lost (LEAST_PASSED in scripts/test.mjs).\n`,
  );
}
process.exitCode = code === 0 && (failed > 0 || passed + skipped < least) ? 1 : code;
