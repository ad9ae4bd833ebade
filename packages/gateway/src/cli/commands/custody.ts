import { generateKeyPairSync } from 'node:crypto';

import { officerKeyText, printable, type CanonicalObject } from 'countersign-verify';
import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import type { CustodyStatus } from '../../record/custody/custody-desk.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import {
  approve,
  formatRequest,
  makeRequest,
  readOfficerKey,
  readRequestFile,
  writeRequestFile,
} from '../custody-file.ts';
import type { RequestFile } from '../custody-file.ts';
import { createOutput, formatTable, inputError, usageError } from '../output.ts';
import { writePrivateFile } from '../private-file.ts';

export function addCustodyCommand(program: Command): void {
  const custody = program
    .command('custody')
    .summary('who decides over sealed contents; requests and approvals')
    .description(
      'Erasing contents, releasing a hold and the like need a request that officers of different owners have signed. They sign offline; the gateway checks, records and carries out.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign custody keygen -o records.pem
  countersign custody approve request.json --officer records --key records.pem
  countersign custody submit request.json
  countersign custody status`,
    );
  addKeygen(custody);
  addShow(custody);
  addApproveCommand(custody);
  addSubmitCommand(custody);
  addStatus(custody);
  addOfficers(custody);
  addExamples(custody, {
    keygen: '-o records.pem',
    show: 'request.json',
    approve: 'request.json --officer records --key records.pem',
    submit: 'request.json',
    status: '--json',
    officers: '--reason "a new officer" -o officers.json',
  });
}

/** Puts an example into the help of each command below `parent`, by name. */
export function addExamples(parent: Command, examples: Readonly<Record<string, string>>): void {
  for (const command of parent.commands) {
    const example = examples[command.name()];
    if (example !== undefined)
      command.addHelpText(
        'after',
        `\nExamples:\n  countersign ${parent.name()} ${command.name()} ${example}`,
      );
  }
}

/** Options of every command that makes a request. */
export function addRequestOptions(command: Command): Command {
  return command
    .requiredOption(
      '--reason <text>',
      'why; it is sealed with the record, and officers see it before they sign',
    )
    .option('--expires <duration>', 'how long officers have, at most 31d', '7d')
    .option(
      '--at <time>',
      'make the request for that time: of a gateway whose clock once was ahead, as custody status shows it',
    )
    .requiredOption('-o, --output <file>', 'write the request there');
}

export interface RequestCommandOptions extends CommonOptions {
  readonly reason: string;
  readonly expires: string;
  readonly at?: string;
  readonly output: string;
}

/** Writes a request for officers to sign. */
export function writeRequest(action: string, scope: CanonicalObject, options: RequestCommandOptions): void {
  const request = makeRequest(configOf(options).log.origin, action, scope, options);
  const file: RequestFile = { request, approvals: [] };
  writeRequestFile(options.output, file, false);
  const output = createOutput(options.json ?? false);
  output.result({ request: request.digest, file: options.output }, () => formatRequest(file));
  output.note(
    `Written to ${options.output}. Officers sign it: countersign custody approve ${options.output}`,
  );
}

function addKeygen(custody: Command): void {
  const command = custody
    .command('keygen')
    .requiredOption('-o, --output <file>', 'write the private key there')
    .summary('make the key of an officer or reader')
    .description(
      'Makes an Ed25519 key. The public half goes into the configuration; the private half stays with its owner.',
    )
    .action((options: { readonly output: string; readonly json?: boolean }) => {
      const { privateKey } = generateKeyPairSync('ed25519');
      try {
        writePrivateFile(
          options.output,
          privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
          false,
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST')
          throw inputError(`${options.output} is there already`, 'Name another file.');
        throw error;
      }
      const key = officerKeyText(privateKey);
      createOutput(options.json ?? false).result({ key, file: options.output }, () => key);
    });
  addJsonOption(command);
}

function addShow(custody: Command): void {
  const command = custody
    .command('show')
    .argument('<request>', 'file')
    .summary('what a request asks for')
    .description('Prints what officers sign, and who has.')
    .action(async (file: string, options: CommonOptions) => {
      const found = await readRequestFile(file);
      const { document: _document, ...request } = found.request;
      createOutput(options.json ?? false).result({ ...request, approvals: found.approvals }, () =>
        formatRequest(found),
      );
    });
  addJsonOption(command);
}

interface ApproveOptions extends CommonOptions {
  readonly officer: string;
  readonly key: string;
  readonly yes?: boolean;
}

/** `approve`, under `custody`, `erase` and `hold` alike. */
export function addApproveCommand(parent: Command): void {
  const command = parent
    .command('approve')
    .argument('<request>', 'file')
    .requiredOption('--officer <name>', 'your name in the configuration')
    .requiredOption('--key <file>', 'your private key, PEM')
    .option('--yes', 'sign what is shown without being asked')
    .summary('sign a request as an officer')
    .description('Shows all of the request, then signs it. Needs neither the gateway nor its configuration.')
    .action(async (file: string, options: ApproveOptions) => {
      const found = await readRequestFile(file);
      process.stderr.write(`${formatRequest(found)}\n`);
      if (options.yes !== true && !(await isConfirmed())) throw usageError('the request was not signed');
      const signed = approve(found, options.officer, await readOfficerKey(options.key));
      writeRequestFile(file, signed, true);
      const approvals = signed.approvals.map(({ officer }) => officer);
      createOutput(options.json ?? false).result({ request: found.request.digest, approvals }, () =>
        printable(`signed; approvals: ${approvals.join(', ')}`),
      );
    });
  addJsonOption(command);
}

async function isConfirmed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw usageError('there is no terminal to ask', 'Add --yes to sign what is shown.');
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question('Sign this? Type yes: ')).trim() === 'yes';
  } finally {
    terminal.close();
  }
}

/** Sends a signed request to the running gateway. */
export async function submitFile(file: RequestFile, options: CommonOptions): Promise<unknown> {
  const client = new ControlClient(configOf(options).stateDirectory);
  return client.post('/v1/custody', {
    document: file.request.document.toString('utf8'),
    approvals: file.approvals,
    ...(file.keys !== undefined && { keys: file.keys }),
  });
}

/** One line for each thing that the gateway says it did, such as `contents  4`. */
function answerText(answer: unknown): string {
  const rows = Object.entries(answer ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return `done, and on the record\n${printable(formatTable(rows))}`;
}

export function addSubmitCommand(parent: Command): void {
  const command = parent
    .command('submit')
    .argument('<request>', 'file')
    .summary('have a signed request carried out')
    .description(
      'Sends the request to the running gateway, which checks and records it first. Whatever comes of it is on the record.',
    )
    .action(async (file: string, options: CommonOptions) => {
      const answer = await submitFile(await readRequestFile(file), options);
      createOutput(options.json ?? false).result(answer, () => answerText(answer));
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** What the running gateway says of custody. */
export function custodyStatus(options: CommonOptions): Promise<CustodyStatus> {
  return new ControlClient(configOf(options).stateDirectory).get<CustodyStatus>('/v1/custody');
}

function addStatus(custody: Command): void {
  const command = custody
    .command('status')
    .summary('officers, holds, retention and what waits')
    .description('What the record says is in force, and what the configuration asks for beyond that.')
    .action(async (options: CommonOptions) => {
      const status = await custodyStatus(options);
      createOutput(options.json ?? false).result(status, () =>
        formatTable([
          ['log', status.log],
          ['time', new Date(Math.floor(status.nowUs / 1000)).toISOString()],
          ['gateway key', status.gatewayKey],
          [
            'officers',
            status.officers.map(({ officer }) => officer).join(', ') || 'none: nothing can be erased or held',
          ],
          ['approvals', `${status.approvals} officers of different owners`],
          ['schedule', status.unattended ? 'erases what is due by itself' : 'every disposal is approved'],
          ['holds', String(status.holds.length)],
          ['due', status.due.map((due) => `${due.class} ${due.period}`).join(', ') || 'nothing'],
          ['unfinished', status.unfinished.join(', ') || 'nothing'],
          ['waits for approval', status.proposals.join('; ') || 'nothing'],
        ]),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function addOfficers(custody: Command): void {
  const command = custody
    .command('officers')
    .summary('request that the configured officers be put in force')
    .description(
      'Makes a request from the custody section of the running configuration. The officers in force sign it.',
    );
  addRequestOptions(command);
  addConfigOption(command);
  addJsonOption(command);
  command.action(async (options: RequestCommandOptions) => {
    const client = new ControlClient(configOf(options).stateDirectory);
    const { officers } = await client.get<{ readonly officers: CanonicalObject | null }>(
      '/v1/custody/officers',
    );
    if (officers === null) throw inputError('the configuration has no custody section');
    writeRequest('change-officers', officers, options);
  });
}
