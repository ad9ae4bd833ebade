import { CountersignError } from '../errors.ts';

/**
 * The `options` start-up parameter: command-line arguments for the backend, split as PostgreSQL does (`pg_split_opts`: white
 * space separates, a backslash takes the next character literally). Of the switches only `-c name=value` and `--name=value`
 * are settings; every other one is refused with `CS_SETTING_DENIED`. Names come in lower case, `-` as `_` after `--`.
 */
export function parseStartupOptions(options: string): readonly (readonly [name: string, value: string])[] {
  const words = splitOptions(options);
  const settings: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word.startsWith('--')) settings.push(parseAssignment(word.slice(2)));
    else if (word === '-c') settings.push(parseAssignment(words[++i] ?? ''));
    else if (word.startsWith('-c')) settings.push(parseAssignment(word.slice(2)));
    else throw refused('Only -c name=value and --name=value are understood in options.');
  }
  return settings;
}

/** `ParseLongOption`: up to the first `=`; dashes in the name are underscores. */
function parseAssignment(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw refused('A setting in options has the form name=value.');
  return [text.slice(0, equals).replaceAll('-', '_').toLowerCase(), text.slice(equals + 1)];
}

function splitOptions(options: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < options.length; i++) {
    const character = options[i] ?? '';
    if (/[ \t\n\r\v\f]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\') {
      word = (word ?? '') + (options[++i] ?? '');
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function refused(hint: string): CountersignError {
  return new CountersignError('CS_SETTING_DENIED', { detail: 'options', hint });
}
