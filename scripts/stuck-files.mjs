/**
 * node:test gives up a test after its time, but waits for ever for the process of its file, which a forgotten server or socket keeps alive. Here such
 * a process is ended with everything that it started, so that a run always comes to its report. Reads /proc: does nothing on other systems.
 */
import { readFileSync, readdirSync } from 'node:fs';

const LOOK_EVERY_MS = 10_000;

/** Direct children by parent, of all processes there are. */
function processTree() {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name of the program stands in brackets and may hold anything; the parent is the second field behind it.
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}

function endAll(pid, children) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
  for (const child of children.get(pid) ?? []) endAll(child, children);
}

/**
 * Ends each direct child of `runner` that lasts longer than `limitMs`.
 * @param runner pid of `node --test`, which starts one process per file.
 * @returns how to stop looking.
 */
export function endStuckFiles(runner, limitMs) {
  if (process.platform !== 'linux') return () => {};
  const firstSeenMs = new Map();
  const look = () => {
    const children = processTree();
    const files = children.get(runner) ?? [];
    for (const pid of firstSeenMs.keys()) if (!files.includes(pid)) firstSeenMs.delete(pid);
    for (const pid of files) {
      const sinceMs = firstSeenMs.get(pid);
      if (sinceMs === undefined) firstSeenMs.set(pid, performance.now());
      else if (performance.now() - sinceMs > limitMs) {
        process.stderr.write(
          `A test file has not ended after ${Math.round(limitMs / 60_000)} minutes: it is killed.\n`,
        );
        endAll(pid, children);
      }
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
