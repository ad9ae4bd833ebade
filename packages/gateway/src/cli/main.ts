#!/usr/bin/env node
import { runCli } from './program.ts';

// exitCode and not exit(): what stands in stdout's buffer must reach a pipe.
process.exitCode = await runCli(process.argv.slice(2));
