import { existsSync, readFileSync } from 'node:fs';

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';

import type { CountersignConfig } from '../../config/config.ts';
import { defaultRules } from '../../config/masking-section.ts';
import { openRecogniser } from '../../gateway/recogniser-client.ts';
import type { MaskingRules, Transform } from '../../masking/rules.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { maskText } from '../masked-text.ts';
import type { MaskedPiece } from '../masked-text.ts';
import { createOutput, formatTable, inputError, usageError } from '../output.ts';

interface MaskTryOptions extends CommonOptions {
  readonly class?: string;
  readonly transform?: Transform;
  readonly recogniser: boolean;
  readonly text?: boolean;
}

/** Longer texts are files to be read in pieces. */
const MAX_TEXT_BYTES = 64 * 1_048_576;
const MAX_SHOWN = 200;

export function addMaskTryCommand(mask: Command): void {
  const command = mask
    .command('try [file]')
    .summary('show what of a text would be masked, and why')
    .description(
      'Reads a file, or standard input for - or nothing, and shows line and column, class, transform, what would stand there and why. With --class each line is a value of a column of the class. Marks and tokens are made with a key of this run. Nothing is sent anywhere but to the recogniser of the configuration, if it has one.',
    )
    .option('--class <class>', 'each line is a value of this class')
    .option(
      '--transform <transform>',
      'instead of that of the class: redact, null, keep-last[=N], email-domain, year, bucket=SIZE, token, fpe, detect',
      parseTransform,
    )
    .option('--no-recogniser', 'do not ask the recogniser of the configuration')
    .option('--text', 'print the masked text instead of the list')
    .addHelpText(
      'after',
      `
Examples:
  countersign mask try notes.txt
  countersign mask try --text < notes.txt > shown.txt
  echo 'jane@example.com' | countersign mask try --class email --transform token --json`,
    )
    .action(async (file: string | undefined, options: MaskTryOptions) => {
      if (options.transform !== undefined && options.class === undefined)
        throw usageError('--transform goes with --class');
      const config = existsSync(options.config) ? configOf(options) : undefined;
      const rules = config?.masking?.rules ?? defaultRules();
      checkClass(options.class, rules);
      const masked = await maskText(readText(file), {
        rules,
        class: options.class,
        transform: options.transform,
        recogniser: options.recogniser ? recogniserOf(config) : undefined,
      });
      const output = createOutput(options.json ?? false);
      output.result({ pieces: masked.pieces, text: masked.text }, () =>
        options.text === true ? masked.text : list(masked.pieces),
      );
      if (config?.masking === undefined) output.note('By the defaults: no section masking was read.');
    });
  addConfigOption(command);
  addJsonOption(command);
}

function parseTransform(text: string): Transform {
  const [kind = '', argument] = text.split('=', 2);
  const number = Number(argument);
  switch (kind) {
    case 'redact':
    case 'null':
    case 'email-domain':
    case 'year':
    case 'token':
    case 'fpe':
    case 'detect':
      if (argument === undefined) return { kind };
      break;
    case 'keep-last':
      if (argument === undefined) return { kind, count: 4 };
      if (Number.isInteger(number) && number >= 1 && number <= 64) return { kind, count: number };
      break;
    case 'bucket':
      if (argument === 'month' || argument === 'quarter' || argument === 'year')
        return { kind, size: argument };
      if (number > 0 && number <= Number.MAX_SAFE_INTEGER) return { kind, size: number };
      break;
    default:
      break;
  }
  throw new InvalidArgumentError('It is none that there is, or not with this argument.');
}

function checkClass(name: string | undefined, rules: MaskingRules): void {
  if (name !== undefined && !rules.classes.has(name))
    throw usageError('there is no such class', 'countersign mask classes lists them.');
}

function recogniserOf(config: CountersignConfig | undefined): ReturnType<typeof openRecogniser> | undefined {
  const recogniser = config?.masking?.recogniser;
  return recogniser === undefined ? undefined : openRecogniser(recogniser);
}

function readText(file: string | undefined): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === undefined || file === '-' ? 0 : file);
  } catch (error) {
    throw inputError(`${file ?? '-'} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
  if (bytes.length > MAX_TEXT_BYTES) throw inputError(`${file ?? '-'} is longer than 64 MiB`);
  return bytes.toString('utf8');
}

function list(pieces: readonly MaskedPiece[]): string {
  if (pieces.length === 0) return 'Nothing would be masked.';
  const rows = pieces
    .slice(0, MAX_SHOWN)
    .map((piece) => [
      `${piece.line}:${piece.column}`,
      piece.class,
      piece.transform,
      piece.result === null ? 'NULL' : JSON.stringify(piece.result),
      piece.why,
    ]);
  const rest = pieces.length - rows.length;
  const table = formatTable([['place', 'class', 'transform', 'instead', 'why'], ...rows]);
  return rest > 0 ? `${table}\n… and ${rest} more: --json lists all` : table;
}
