import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import type { Command } from 'commander';

import { loadPoliciesOf } from '../../gateway/policies.ts';
import { loadPolicies } from '../../policy/policy-set.ts';
import type { PolicySet } from '../../policy/policy-set.ts';
import {
  describeQuestion,
  parsePolicyTests,
  PolicyTestFileError,
  runPolicyTests,
} from '../../policy/policy-tests.ts';
import type { PolicyTestFile, PolicyTestResult } from '../../policy/policy-tests.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, inputError } from '../output.ts';
import type { SetExitCode } from '../program.ts';

interface TestOptions extends CommonOptions {
  readonly policies?: string;
}

/** Of `policy test` when an answer is not the expected one. */
export const EXIT_TESTS_FAILED = 40;

export function addPolicyTestCommand(policy: Command, setExitCode: SetExitCode): void {
  const command = policy
    .command('test')
    .argument('<file...>', 'files of tests, YAML')
    .summary('try policies')
    .description(
      'Asks policies the questions of test files and compares the answers. The policies are those that the file names, those of --policies, or those of the configuration.',
    )
    .option('--policies <folder>', 'the policies to try, whatever the files name')
    .addHelpText(
      'after',
      `
Examples:
  countersign policy test policies/*.tests.yaml
  countersign policy test --policies ./proposed policies/bank.tests.yaml

Exit code: 0 when every answer is the expected one, ${EXIT_TESTS_FAILED} when one is not.`,
    )
    .action((files: readonly string[], options: TestOptions) => {
      const results = files.map((file) => ({ file, results: runFile(file, options) }));
      const all = results.flatMap((one) => one.results);
      const failed = all.filter(({ isAsExpected }) => !isAsExpected).length;
      createOutput(options.json ?? false).result(
        {
          ok: failed === 0,
          passed: all.length - failed,
          failed,
          tests: results.flatMap((one) => one.results.map((result) => asJson(one.file, result))),
        },
        () =>
          [
            ...results.flatMap((one) => one.results.flatMap((result) => formatFailure(one.file, result))),
            failed === 0 ? `${all.length} as expected` : `${failed} of ${all.length} not as expected`,
          ].join('\n'),
      );
      if (failed > 0) setExitCode(EXIT_TESTS_FAILED);
    });
  addConfigOption(command);
  addJsonOption(command);
}

function runFile(file: string, options: TestOptions): readonly PolicyTestResult[] {
  const tests = readTests(file);
  return runPolicyTests(tests, policiesFor(file, tests, options));
}

function readTests(file: string): PolicyTestFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw inputError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
  try {
    return parsePolicyTests(text);
  } catch (error) {
    if (!(error instanceof PolicyTestFileError)) throw error;
    throw inputError(
      error.message
        .split('\n')
        .map((line) => `${file}: ${line}`)
        .join('\n'),
      'docs/policy.md has an example.',
    );
  }
}

function policiesFor(file: string, tests: PolicyTestFile, options: TestOptions): PolicySet {
  if (options.policies !== undefined) return loadPolicies(options.policies).set;
  if (tests.policies !== undefined) return loadPolicies(resolve(dirname(file), tests.policies)).set;
  return loadPoliciesOf(configOf(options)).set;
}

function asJson(file: string, { decision, isAsExpected, test }: PolicyTestResult): Record<string, unknown> {
  const { by, expect, line, name } = test;
  const { effect, errors, policies } = decision;
  return { file, line, name, ok: isAsExpected, expect, by, effect, policies, errors };
}

const by = (ids: readonly string[]): string => (ids.length === 0 ? 'no policy' : ids.join(', '));

function formatFailure(file: string, { decision, isAsExpected, test }: PolicyTestResult): readonly string[] {
  if (isAsExpected) return [];
  const expected = test.by === undefined ? test.expect : `${test.expect} by ${by(test.by)}`;
  const answer = decision.effect === 'permit' ? 'permit' : 'deny';
  return [
    `${file}:${test.line}: ${test.name}`,
    `  asked:    ${describeQuestion(test.request)}`,
    `  expected: ${expected}`,
    `  answer:   ${answer} by ${by(decision.policies)}`,
    ...decision.errors.map(({ message, policy }) => `  error:    ${policy}: ${message}`),
    '',
  ];
}
