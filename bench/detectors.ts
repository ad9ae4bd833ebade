/**
 * `npm run bench -- detectors`: what detectors find in texts by chance, what they take for a value that is none, and the time they take, in CPU time of this
 * process, so that a busy machine changes little. `--quick`: fewer texts.
 */
import { createDetectors } from '../packages/gateway/src/masking/detectors/detectors.ts';
import { measure } from '../test/detectors/accuracy.ts';
import { chanceOf } from '../test/detectors/chance.ts';
import { documents, prose } from '../test/detectors/documents.ts';
import { fuzz, textOf } from '../test/detectors/fuzz.ts';

const SEED = 20_261_123;
const isQuick = process.argv.includes('--quick');
const EACH = isQuick ? 200 : 2_000;
const FUZZED_TEXTS = isQuick ? 40 : 100;
const CHANGES = isQuick ? 60 : 250;
const TEXT_LENGTH = 4_096;
/** CPU time is counted in ticks of a few ms: less than this tells nothing. */
const MIN_CPU_US = 50_000;

const detectors = createDetectors();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)} %`;

function cpuOf(text: string, count: number): number {
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) detectors.find(text);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** µs of CPU for each KiB of UTF-8. What compiling costs, and another process that takes the cache, is left out: the lower of two, after one for nothing. */
function timeOf(text: string): number {
  let count = 32;
  while (cpuOf(text, count) < MIN_CPU_US) count *= 2;
  const best = Math.min(cpuOf(text, count), cpuOf(text, count));
  return best / count / (Buffer.byteLength(text) / 1024);
}

function accuracy(): void {
  const { classes, negatives } = measure(detectors, documents(chanceOf(SEED), EACH));
  say('| class | values | recall | findings | precision |\n|---|---|---|---|---|');
  for (const [name, { values, found, findings, wrong }] of classes)
    say(
      `| ${name} | ${values} | ${percent(found, values)} | ${findings} | ${percent(findings - wrong, findings)} |`,
    );
  say('\n| text without a value | texts | taken for one |\n|---|---|---|');
  for (const [name, { texts, wrong }] of negatives) say(`| ${name} | ${texts} | ${percent(wrong, texts)} |`);
}

function times(): void {
  const chance = chanceOf(SEED);
  const mixed = documents(chance, 8)
    .map(({ text }) => text)
    .join('\n')
    .slice(0, TEXT_LENGTH);
  const rows: (readonly [string, number])[] = [
    ['prose without a value', timeOf(prose(chance, 640).slice(0, TEXT_LENGTH))],
    ['values and what looks like them', timeOf(mixed)],
    ['the same as JSON', timeOf(JSON.stringify({ rows: mixed.split('\n') }))],
    [
      'the same in full width',
      timeOf(mixed.replaceAll(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))),
    ],
  ];
  const byTime = fuzz(chanceOf(SEED), timeOf, { texts: FUZZED_TEXTS, changes: CHANGES, length: TEXT_LENGTH });
  // One measurement of many is high by chance: the worst is measured again.
  const worst = timeOf(textOf([byTime.worst.motif], TEXT_LENGTH));
  const bySteps = fuzz(chanceOf(SEED), (text) => detectors.findCounting(text).steps / text.length, {
    texts: 2_000,
    changes: 20 * CHANGES,
    length: TEXT_LENGTH,
  });
  say('\n| text of 4 KiB | µs of CPU per KiB |\n|---|---|');
  for (const [name, time] of rows) say(`| ${name} | ${time.toFixed(1)} |`);
  say(`| fuzzed: median of ${FUZZED_TEXTS} | ${byTime.median.toFixed(1)} |`);
  say(`| fuzzed: worst after ${CHANGES} changes | ${worst.toFixed(1)} |`);
  say(
    `\nWorst by time: ${(worst / byTime.median).toFixed(1)} of the median: ${JSON.stringify(byTime.worst.motif)}`,
  );
  say(
    `Worst by looks: ${bySteps.worst.cost.toFixed(1)} at each character, median ${bySteps.median.toFixed(1)}: ${JSON.stringify(bySteps.worst.motif)}`,
  );
}

accuracy();
times();
