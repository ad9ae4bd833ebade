import type { Command } from 'commander';

import type { CountersignConfig, LoginConfig, PostgresTargetConfig } from '../../config/config.ts';
import { createSecrets } from '../../config/secrets.ts';
import { errorFields } from '../../observe/logger.ts';
import { loadCatalog, openCatalogSession } from '../../postgres/catalog/load-catalog.ts';
import { checkDatabase, checkLogin, checkSetup } from '../../postgres/roles/check-target.ts';
import type { Finding } from '../../postgres/roles/check-target.ts';
import type { Severity } from '../../postgres/roles/target-probes.ts';
import { dialTarget } from '../../postgres/upstream/dial.ts';
import { OwnSession } from '../../postgres/upstream/own-session.ts';
import { checkClasses } from '../check-classes.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput } from '../output.ts';
import type { SetExitCode } from '../program.ts';
import { setupRequestOf, targetOf } from './target-setup.ts';

interface CheckOptions extends CommonOptions {
  readonly database?: string;
  readonly strict?: boolean;
}

const ORDER: readonly Severity[] = ['high', 'medium', 'low', 'info'];

/** What is wrong with the target is not an error of the command: exit code 4, as for what is not permitted. */
const EXIT_FINDINGS = 4;

export function addTargetCheckCommand(target: Command, setExitCode: SetExitCode): void {
  const command = target
    .command('check')
    .argument('<target>', 'name of the target')
    .summary('say what weakens the second wall')
    .description(
      'Connects with each login of the target and reads its catalogs: what PUBLIC holds, what the logins are and own, whether the setup is what was printed, and whether the classes of columns lead to something. Each finding comes with the SQL that ends it. Changes nothing. These sessions are not on the record of the gateway; in the target they are called countersign/target-check.',
    )
    .option('--database <name>', 'default: the database of the target')
    .option('--strict', 'findings of medium severity count as well')
    .addHelpText(
      'after',
      `
Exit code 4: there are findings of high severity (with --strict: of medium severity), or a login could not connect.

Examples:
  countersign target check bank
  countersign target check bank --strict --json`,
    )
    .action(async (name: string, options: CheckOptions) => {
      const config = configOf(options);
      const found = targetOf(config, name);
      const database = options.database ?? found.database;
      const findings = (await check(config, found, database)).toSorted(
        (one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity),
      );
      const counted: readonly Severity[] = options.strict === true ? ['high', 'medium'] : ['high'];
      const isBad = findings.some(({ severity }) => counted.includes(severity));
      if (isBad) setExitCode(EXIT_FINDINGS);
      createOutput(options.json ?? false).result({ ok: !isBad, target: name, database, findings }, () =>
        format(findings, name, database),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

async function check(
  config: CountersignConfig,
  target: PostgresTargetConfig,
  database: string,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { roles } = target;
  let isDatabaseChecked = false;
  for (const [name, login] of Object.entries(target.logins)) {
    let session: OwnSession;
    try {
      session = await open(target, login, database);
    } catch (error) {
      const { code, detail } = errorFields(error);
      findings.push({
        id: 'login-refused',
        severity: 'high',
        what: `the login ${name} cannot connect: ${[code, detail].filter(Boolean).join(', ')}`,
        why: 'its grants cannot be used, and nothing can be said of it',
      });
      continue;
    }
    try {
      const makesRoles = name === roles?.login;
      findings.push(...(await checkLogin(session, login.user, makesRoles)));
      if (makesRoles) findings.push(...(await checkSetup(session, setupRequestOf(target, database))));
      if (!isDatabaseChecked) {
        findings.push(...(await checkDatabase(session)));
        findings.push(...(await classFindings(session, config, target)));
      }
      isDatabaseChecked = true;
    } finally {
      session.end();
    }
  }
  if (roles === undefined) {
    findings.push({
      id: 'no-roles',
      severity: 'info',
      what: 'no section roles: sessions run as configured logins',
      why: 'the second wall is what those logins were given, not what a scope says',
    });
  }
  return findings;
}

async function classFindings(
  session: OwnSession,
  config: CountersignConfig,
  target: PostgresTargetConfig,
): Promise<readonly Finding[]> {
  try {
    await openCatalogSession(session);
    return checkClasses(config, target, (await loadCatalog(session, target.name)).data);
  } catch (error) {
    const { code, detail } = errorFields(error);
    return [
      {
        id: 'catalog-unread',
        severity: 'medium',
        what: `the catalog cannot be read: ${[code, detail].filter(Boolean).join(', ')}`,
        why: 'nothing can be said of the classes of its columns, and no statement can be analysed',
      },
    ];
  }
}

async function open(target: PostgresTargetConfig, login: LoginConfig, database: string): Promise<OwnSession> {
  const connection = await dialTarget(target, login, {
    database,
    secrets: createSecrets(),
    principal: 'target-check',
  });
  return new OwnSession(connection, async () => Promise.resolve(() => {}));
}

function format(findings: readonly Finding[], target: string, database: string): string {
  if (findings.length === 0) return `${target}/${database}: nothing found`;
  const counts = ORDER.map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return `${count} ${severity}`;
  });
  const lines = findings.flatMap(({ severity, id, what, why, cure }) => [
    `${severity.toUpperCase()} ${id}: ${what}`,
    `  ${why}`,
    ...(cure === undefined ? [] : [`  ${cure}`]),
  ]);
  return [...lines, `${target}/${database}: ${counts.join(', ')}`].join('\n');
}
