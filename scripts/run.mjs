/**
 * Runs a script of the project with the project's own Node: `run.mjs <file.ts> [arguments]`, or a program of a
 * dependency: `run.mjs --bin <name> [arguments]`. Both run in the project's folder; with `--here` first, in the folder
 * where the caller of npm stands, so that paths on the command line mean what they look like.
 */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, childEnvironment, fail, prepare, runInPlace } from './project.mjs';

const node = prepare();
const isHere = process.argv[2] === '--here';
const [first, ...rest] = process.argv.slice(isHere ? 3 : 2);
const usage = 'Usage: run.mjs [--here] <file.ts> [arguments] | run.mjs [--here] --bin <name> [arguments]';

function target() {
  if (first === '--bin') {
    const bin = join(ROOT, 'node_modules', '.bin', rest[0] ?? '');
    return rest[0] !== undefined && existsSync(bin)
      ? [realpathSync(bin), ...rest.slice(1)]
      : fail(`${usage}\nThere is no program '${rest[0] ?? ''}' among the dependencies.`);
  }
  return first === undefined ? fail(usage) : [join(ROOT, first), ...rest];
}

// npm itself goes to the folder of package.json, and says where it came from.
const cwd = isHere ? (process.env.INIT_CWD ?? process.cwd()) : ROOT;
process.exitCode = await runInPlace(node, target(), { cwd, env: childEnvironment(node) });
