import { isLoopbackHost } from './addresses.ts';
import type { CountersignConfig, PostgresTargetConfig } from './config.ts';
import { checkCatalog } from './catalog-section.ts';
import { checkCustodySections, checkTargetClasses } from './custody-section.ts';
import { checkMasking } from './masking-grants.ts';
import { nearestKey } from './nearest-key.ts';
import type { Positions } from './positions.ts';
import { formatPath } from './problem.ts';
import type { ConfigProblem } from './problem.ts';
import { checkRoles } from './roles-section.ts';
import { checkScopes } from './scope-section.ts';
import { checkTimestamp } from './timestamp-section.ts';
import { checkWitness } from './witness-section.ts';

/**
 * What a schema cannot see: names that refer to nothing, names given twice, grants that have ended, connections that
 * would be readable by others. `nowUs` is wall-clock µs since the epoch.
 */
export function crossCheck(config: CountersignConfig, positions: Positions, nowUs: bigint): ConfigProblem[] {
  const report = new Report(positions);
  checkWatermarks(config, report);
  checkListener(config, report);
  for (const target of config.targets) checkTarget(target, report);
  checkDuplicates(
    'principals',
    'name',
    config.principals.map((principal) => principal.name),
    report,
  );
  checkDuplicates(
    'grants',
    'id',
    config.grants.map((grant) => grant.id),
    report,
  );
  checkReserved(config, report);
  for (const { severity, path, message, hint } of config.witness === undefined
    ? []
    : checkWitness(config.witness))
    report.add(severity, path, message, hint);
  for (const { severity, path, message, hint } of checkCustodySections(config.custody, config.retention))
    report.add(severity, path, message, hint);
  for (const { severity, path, message, hint } of checkTargetClasses(config.targets, config.retention))
    report.add(severity, path, message, hint);
  for (const { severity, path, message, hint } of checkTimestamp(config.timestamp))
    report.add(severity, path, message, hint);
  checkGrants(config, nowUs, report);
  for (const { severity, path, message, hint } of checkScopes(config.grants, config.targets))
    report.add(severity, path, message, hint);
  for (const { severity, path, message, hint } of checkCatalog(config.targets))
    report.add(severity, path, message, hint);
  for (const { severity, path, message, hint } of checkRoles(config.targets, config.grants))
    report.add(severity, path, message, hint);
  for (const { severity, path, message, hint } of checkMasking(config.masking, config.targets, config.grants))
    report.add(severity, path, message, hint);
  checkUse(config, report);
  return report.problems;
}

class Report {
  readonly problems: ConfigProblem[] = [];
  readonly #positions: Positions;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  add(
    severity: ConfigProblem['severity'],
    path: readonly PropertyKey[],
    message: string,
    hint?: string,
  ): void {
    const place = this.#positions.ofValue(path);
    const problem = {
      severity,
      code: 'CS_CONFIG_INVALID',
      path: formatPath(path),
      ...place,
      message,
    } as const;
    this.problems.push(hint === undefined ? problem : { ...problem, hint });
  }
}

function checkWatermarks({ record }: CountersignConfig, report: Report): void {
  if (record.warnFreeBytes === undefined || record.warnFreeBytes >= record.minFreeBytes) return;
  report.add(
    'warning',
    ['record', 'minFree'],
    'commands are refused before the alarm of record.warnFree is raised',
    'let record.warnFree be the larger one',
  );
}

function checkListener(config: CountersignConfig, report: Report): void {
  const { postgres, health } = config.listen;
  const beyondLoopback = !isLoopbackHost(postgres.host);
  if (beyondLoopback && postgres.tls === undefined) {
    report.add(
      'error',
      ['listen', 'postgres', 'address'],
      'a listener beyond loopback needs TLS',
      'add listen.postgres.tls, or listen on 127.0.0.1',
    );
  }
  if (beyondLoopback && postgres.tls?.required === false) {
    report.add(
      'warning',
      ['listen', 'postgres', 'tls', 'required'],
      'clients beyond loopback may connect without TLS',
    );
  }
  if (health !== undefined && !isLoopbackHost(health.host)) {
    report.add(
      'warning',
      ['listen', 'health', 'address'],
      'health and metrics are plain HTTP without authentication',
      'keep them on a private network',
    );
  }
}

function checkTarget(target: PostgresTargetConfig, report: Report): void {
  const path = ['targets', target.name];
  const { mode, ca, cert, key, direct } = target.tls;
  const local = target.hosts.every(({ host }) => isLoopbackHost(host));
  if (!local && (mode === 'disable' || mode === 'prefer')) {
    report.add(
      'warning',
      [...path, 'tls', 'mode'],
      `with ${mode} the connection to the target can be read and changed on its way`,
      'use verify-full',
    );
  } else if (!local && (mode === 'require' || mode === 'verify-ca')) {
    report.add(
      'warning',
      [...path, 'tls', 'mode'],
      `with ${mode} another server can pose as the target`,
      'use verify-full',
    );
  }
  if ((cert === undefined) !== (key === undefined)) {
    report.add('error', [...path, 'tls'], 'cert and key belong together');
  }
  if (mode === 'disable' && (ca !== undefined || cert !== undefined || direct)) {
    report.add('error', [...path, 'tls', 'mode'], 'TLS is disabled, yet there are other TLS keys');
  }
  if (direct && mode === 'prefer') {
    report.add(
      'error',
      [...path, 'tls', 'direct'],
      'direct TLS needs a mode that does not fall back to plain text',
    );
  }
  if (Object.keys(target.logins).length === 0) {
    report.add('error', [...path, 'logins'], 'a target needs at least one login');
  }
  for (const [index, host] of target.hosts.entries()) {
    if (host.port === 0) report.add('error', [...path, 'hosts', index], 'port 0 cannot be connected to');
  }
}

function checkDuplicates(list: string, key: string, names: readonly string[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) report.add('error', [list, index, key], `${name} is given twice`);
    seen.add(name);
  }
}

/** `gateway` is the principal of the gateway's own statements, whose grants are `gateway.<target>.<login>`. */
function checkReserved(config: CountersignConfig, report: Report): void {
  for (const [index, { name }] of config.principals.entries()) {
    if (name === 'gateway')
      report.add('error', ['principals', index, 'name'], 'this name is reserved for the gateway');
  }
  for (const [index, { id }] of config.grants.entries()) {
    if (id.startsWith('gateway.'))
      report.add('error', ['grants', index, 'id'], 'ids that begin with gateway. are reserved');
  }
}

function checkGrants(config: CountersignConfig, nowUs: bigint, report: Report): void {
  const principals = config.principals.map((principal) => principal.name);
  const targets = new Map(config.targets.map((target) => [target.name, target]));
  for (const [index, grant] of config.grants.entries()) {
    if (!principals.includes(grant.principal)) {
      report.add(
        'error',
        ['grants', index, 'principal'],
        'no such principal',
        suggestion(grant.principal, principals),
      );
    }
    const target = targets.get(grant.target);
    if (target === undefined) {
      report.add(
        'error',
        ['grants', index, 'target'],
        'no such target',
        suggestion(grant.target, [...targets.keys()]),
      );
    } else if (grant.login !== undefined && !Object.hasOwn(target.logins, grant.login)) {
      report.add(
        'error',
        ['grants', index, 'login'],
        `${target.name} has no such login`,
        suggestion(grant.login, Object.keys(target.logins)),
      );
    }
    if (grant.expiresAtUs <= nowUs) {
      report.add(
        'warning',
        ['grants', index, 'expires'],
        `the grant has ended: ${grant.id}`,
        'remove it, or have it renewed by the owner of the target',
      );
    }
  }
}

function checkUse(config: CountersignConfig, report: Report): void {
  for (const [index, principal] of config.principals.entries()) {
    if (!config.grants.some((grant) => grant.principal === principal.name)) {
      report.add(
        'warning',
        ['principals', index, 'name'],
        `${principal.name} has no grant and cannot reach anything`,
      );
    }
  }
}

function suggestion(name: string, valid: readonly string[]): string | undefined {
  const near = nearestKey(name, valid);
  if (near !== undefined) return `did you mean ${near}?`;
  return valid.length === 0 ? undefined : `there are: ${valid.slice(0, 10).join(', ')}`;
}
