/**
 * Runs a script of the project with the project's own Node: `run.mjs <file.ts> [arguments]`, or a program of a
 * dependency: `run.mjs --bin <name> [arguments]`.
 */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, childEnvironment, fail, prepare, runInPlace } from './project.mjs';

const node = prepare();
const [first, ...rest] = process.argv.slice(2);
const usage = 'Usage: run.mjs <file.ts> [arguments] | run.mjs --bin <name> [arguments]';

function target() {
  if (first === '--bin') {
    const bin = join(ROOT, 'node_modules', '.bin', rest[0] ?? '');
    return rest[0] !== undefined && existsSync(bin)
      ? [realpathSync(bin), ...rest.slice(1)]
      : fail(`${usage}\nThere is no program '${rest[0] ?? ''}' among the dependencies.`);
  }
  return first === undefined ? fail(usage) : [join(ROOT, first), ...rest];
}

process.exitCode = await runInPlace(node, target(), { cwd: ROOT, env: childEnvironment(node) });
