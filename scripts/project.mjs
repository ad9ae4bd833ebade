/**
 * What every script needs first: complete dependencies and the project's own Node. Runs on any Node from 18 up,
 * before anything is installed, so it uses nothing but Node itself.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Flags that switch nothing off that we need, whatever the caller's npm configuration or NODE_ENV says. */
const INSTALL = [
  'ci',
  '--include=dev',
  '--include=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
].concat(
  // The Node that runs npm here is not the one that will run the project: its engine warnings say nothing.
  '--loglevel=error',
);

export function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Packages for other machines are in the lockfile too, and are not installed here. */
const isForThisMachine = ({ os, cpu, libc }) =>
  (os === undefined || os.includes(process.platform)) &&
  (cpu === undefined || cpu.includes(process.arch)) &&
  (libc === undefined || libc.includes(libcOfThisMachine()));

function libcOfThisMachine() {
  const { header } = process.report.getReport();
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/** True when what npm installed in `folder` is what the lockfile there asks for. */
export function isComplete(folder) {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) {
    return false;
  }
  const wanted = readJson(join(folder, 'package-lock.json')).packages;
  const present = readJson(installed).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link === true || !isForThisMachine(entry)) {
      return true;
    }
    return present[path]?.version === entry.version && existsSync(join(folder, path));
  });
}

/** npm as the one that runs us, else the one on PATH. */
function npm(args, folder) {
  const own = process.env.npm_execpath;
  const [command, first] = own?.endsWith('.js') ? [process.execPath, [own]] : ['npm', []];
  // npm's report goes to stderr: stdout belongs to the program that is started afterwards.
  return spawnSync(command, [...first, ...args], { cwd: folder, stdio: ['ignore', 2, 2] });
}

/** Installs the dependencies of `folder` when they are not what its lockfile says. */
export function ensureInstalled(folder, what) {
  if (isComplete(folder)) {
    return;
  }
  process.stderr.write(`Installing ${what} (npm ci) …\n`);
  const { error, status } = npm(INSTALL, folder);
  if (error?.code === 'ENOENT') {
    fail('npm was not found. Install Node.js (18 or newer) together with npm and try again.');
  }
  if (status !== 0) {
    fail(
      `npm could not install ${what}${status === null ? '' : ` (exit ${status})`}; its own report is above.\n` +
        'The first run needs access to an npm registry. Check the network (or the proxy and registry in your npm\n' +
        'configuration), then run the same command again: it goes on from here.',
    );
  }
  if (!isComplete(folder)) {
    fail(
      `npm ended without an error, but ${what} is still incomplete in ${folder}.\n` +
        "Check whether your npm configuration omits dev or optional dependencies ('npm config get omit').",
    );
  }
}

/** The Node that the lockfile pins; on machines without a package for it, the running one if it is new enough. */
export function projectNode() {
  const own = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) {
    return own;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 12)) {
    return process.execPath;
  }
  return fail(
    `There is no Node among the dependencies for ${process.platform}-${process.arch}, and this one (${process.version})\n` +
      'is too old. Run the same command with Node 24.12 or newer.',
  );
}

/** Sets up what is missing for running anything of the project. */
export function prepare() {
  ensureInstalled(ROOT, 'the dependencies');
  return projectNode();
}

/** PATH with the project's Node first, for what the child starts in turn. */
export const childEnvironment = (node) => ({
  ...process.env,
  PATH: `${dirname(node)}:${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
});

/**
 * Runs a program in our place: its input, output, signals and exit code are ours. Resolves with the exit code.
 *
 * Ctrl-C in a terminal reaches the child without our help, so SIGINT is passed on only when there is no terminal.
 */
export function runInPlace(command, args, { onStart, ...options } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  onStart?.(child.pid);
  const passOn = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) {
      child.kill(signal);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, passOn);
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
