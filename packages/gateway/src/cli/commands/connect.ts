import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import type { Command } from 'commander';

import { isLoopbackHost } from '../../config/addresses.ts';
import type { TokenAnswer } from '../../api/issue-token.ts';
import { CountersignError } from '../../errors.ts';
import { addConfigOption, addJsonOption } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import type { SetExitCode } from '../program.ts';
import { parseTtl, requestToken } from './token.ts';

interface ConnectOptions extends CommonOptions {
  readonly principal?: string;
  readonly grant?: string;
  readonly ttl: string;
}

export function addConnectCommand(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('connect')
    .argument('<target>', 'name of the target, or target/database')
    .argument('[command...]', 'what to start, behind --; default: psql')
    .option('-p, --principal <name>', 'who you are; may be left out when only one has a grant for the target')
    .option('--grant <id>', 'the grant to use, when several fit')
    .option('--ttl <duration>', 'how long the token is good for new connections, at most 15m', '15m')
    .summary('start a tool with a token for a target')
    .description(
      'Gets a short-lived token from the running gateway and starts the tool with it. The token is in the environment of the tool only, never in its arguments.',
    )
    .addHelpText(
      'after',
      `
Sets PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD and PGOPTIONS. The exit code is that of the tool.

Examples:
  countersign connect bank
  countersign connect bank -p jane -- psql -c 'select 1'
  countersign connect bank/archive -- pg_dump --schema-only`,
    )
    .action(async (place: string, tool: readonly string[], options: ConnectOptions) => {
      const [target = '', database] = place.split('/', 2);
      const answer = await requestToken(options, target, options.principal, parseTtl(options.ttl));
      setExitCode(await run(tool, toolEnvironment(answer, database, options.grant)));
    });
  addConfigOption(command);
  addJsonOption(command);
}

function toolEnvironment(
  answer: TokenAnswer,
  database: string | undefined,
  grant: string | undefined,
): NodeJS.ProcessEnv {
  const settings = [
    '-c countersign.auth=token',
    ...(grant === undefined ? [] : [`-c countersign.grant=${grant}`]),
  ];
  const before = process.env['PGOPTIONS'];
  return {
    ...process.env,
    // A listener on every address is reached from here by loopback, where a token may travel without TLS.
    PGHOST: isLoopbackHost(answer.host) || isAnyAddress(answer.host) ? '127.0.0.1' : answer.host,
    PGPORT: String(answer.port),
    PGUSER: answer.principal,
    PGDATABASE: database === undefined ? answer.target : `${answer.target}/${database}`,
    PGPASSWORD: answer.token,
    PGOPTIONS: [...(before === undefined || before === '' ? [] : [before]), ...settings].join(' '),
  };
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Signals from the terminal reach the tool by itself; it decides what they mean, so they must not end us first. */
async function run(tool: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [program = 'psql', ...args] = tool;
  process.on('SIGINT', ignore);
  process.on('SIGTERM', ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn(program, args, { env, stdio: 'inherit' });
      child.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new CountersignError('CS_PROGRAM_UNAVAILABLE', {
            detail: `${program} (${error.code ?? 'unknown'})`,
            hint: 'Is it installed and on PATH?',
          }),
        );
      });
      child.once('exit', (code, signal) => {
        // As shells do it.
        resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
      });
    });
  } finally {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', ignore);
  }
}

function ignore(): void {}
