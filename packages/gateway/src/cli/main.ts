#!/usr/bin/env -S node --max-semi-space-size=2 --single-threaded-gc
import { runCli } from './program.ts';

// exitCode and not exit(): what stands in stdout's buffer must reach a pipe.
process.exitCode = await runCli(process.argv.slice(2));
