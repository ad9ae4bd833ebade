#!/usr/bin/env -S node --max-semi-space-size=2 --single-threaded-gc --liftoff-only
import { runCli } from './program.ts';

// Whoever pipes into `head` has seen enough: no error of ours, and none of a gateway that goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// exitCode and not exit(): what stands in stdout's buffer must reach a pipe.
process.exitCode = await runCli(process.argv.slice(2));
