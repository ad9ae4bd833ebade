import { createHash } from 'node:crypto';

import type { OwnSession } from '../upstream/own-session.ts';
import { PINNED_SETTINGS, setupFunctions } from './setup-functions.ts';
import type { SetupRequest } from './setup-sql.ts';
import { DATABASE_PROBES, LOGIN_PROBES, ROLES_LOGIN_PROBES } from './target-probes.ts';
import type { Probe, Severity } from './target-probes.ts';

/** Something in a target that weakens the second wall. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  /** SQL that ends it, for a DBA to run. */
  readonly cure?: string;
}

/** Findings of one kind beyond so many are counted, not listed. */
export const MAX_FINDINGS_OF_A_KIND = 50;

const OPTIONS = { timeoutMs: 30_000, maxBytes: 16 * 1_048_576 } as const;

/** What everybody holds in the database of the session. */
export async function checkDatabase(session: OwnSession): Promise<readonly Finding[]> {
  return await runProbes(session, DATABASE_PROBES, '');
}

/** What a login is; the session may be anybody's. `makesRoles`: it is the one of the section `roles`. */
export async function checkLogin(
  session: OwnSession,
  user: string,
  makesRoles: boolean,
): Promise<readonly Finding[]> {
  const probes = makesRoles ? [...LOGIN_PROBES, ...ROLES_LOGIN_PROBES] : LOGIN_PROBES;
  return await runProbes(session, probes, user);
}

async function runProbes(session: OwnSession, probes: readonly Probe[], login: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id, severity, sql, why } of probes) {
    const rows = await ask(session, sql.replaceAll('$login', literal(login)));
    if (rows === undefined) {
      findings.push({
        id,
        severity: 'medium',
        what: 'could not be found out: the target refused the question',
        why,
      });
      continue;
    }
    for (const row of rows.slice(0, MAX_FINDINGS_OF_A_KIND)) findings.push(findingOf(id, severity, why, row));
    const more = rows.length - MAX_FINDINGS_OF_A_KIND;
    if (more > 0) findings.push({ id, severity, what: `and ${more} more of this kind`, why });
  }
  return findings;
}

/** Rows, or undefined when the target refuses. `search_path` is ours: the names in the texts are the server's own. */
async function ask(session: OwnSession, sql: string): Promise<(readonly (string | null)[])[] | undefined> {
  const rows: (readonly (string | null)[])[] = [];
  const { sqlState } = await session.run(
    `SET search_path = pg_catalog, pg_temp; ${sql}`,
    OPTIONS,
    (_, row) => {
      rows.push(row);
    },
  );
  return sqlState === undefined ? rows : undefined;
}

interface InstalledFunction {
  readonly body: string;
  readonly owner: string;
  readonly isDefiner: boolean;
  readonly settings: string;
  readonly callers: readonly string[];
}

/** Whether what is installed is what `target setup` prints: bodies by their SHA-256, rights, owners, who may call. */
export async function checkSetup(session: OwnSession, request: SetupRequest): Promise<readonly Finding[]> {
  const rows = await ask(session, INSTALLED);
  const cure = `countersign target setup ${request.target} --print, reviewed and run in ${request.database}`;
  if (rows === undefined || rows.length === 0) {
    const what = `the setup is not installed in ${request.database}`;
    return [
      { id: 'setup-missing', severity: 'high', what, why: 'no role can be made: sessions are refused', cure },
    ];
  }
  const installed = new Map(rows.map(([name, ...rest]) => [name ?? '', installedOf(rest)]));
  const findings = setupFunctions(request).flatMap((wanted): Finding[] => {
    const name = `${wanted.name}(${wanted.types})`;
    const found = installed.get(name);
    installed.delete(name);
    if (found === undefined) {
      const why = 'roles cannot be made, or not be ended';
      return [{ id: 'setup-missing', severity: 'high', what: `countersign.${name} is not there`, why, cure }];
    }
    const problem = problemOf(found, wanted, request);
    if (problem === undefined) return [];
    const why = 'what runs with the rights of the owner is not what was reviewed';
    return [{ id: 'setup-changed', severity: 'high', what: `countersign.${name}: ${problem}`, why, cure }];
  });
  for (const name of installed.keys()) {
    findings.push({
      id: 'setup-unknown',
      severity: 'medium',
      what: `countersign.${name} is not of the setup`,
      why: 'nobody reviewed it with the setup',
      cure: `DROP FUNCTION countersign.${name};`,
    });
  }
  return [...findings, ...(await checkOwner(session, request))];
}

function installedOf(row: readonly (string | null)[]): InstalledFunction {
  const [body, owner, isDefiner, settings, callers] = row.map((value) => value ?? '');
  return {
    body: body ?? '',
    owner: owner ?? '',
    isDefiner: isDefiner === 't',
    settings: settings ?? '',
    callers: (callers ?? '').split('\n').filter((caller) => caller !== ''),
  };
}

function problemOf(
  found: InstalledFunction,
  { body, kind }: ReturnType<typeof setupFunctions>[number],
  { owner, login }: SetupRequest,
): string | undefined {
  const digest = createHash('sha256').update(body).digest('hex');
  if (found.body !== digest) return `its text has another digest (${found.body.slice(0, 16)}…)`;
  if (found.isDefiner !== (kind === 'definer')) return 'it runs with the rights of somebody else';
  if (kind !== 'dba' && found.owner !== owner) return `it belongs to ${found.owner}`;
  if (
    kind !== 'helper' &&
    !PINNED_SETTINGS.every(([name]) => found.settings.includes(`${name.toLowerCase()}=`))
  )
    return 'its settings are not pinned';
  const allowed = kind === 'definer' ? [owner, login] : [owner, found.owner];
  const stranger = found.callers.find((caller) => !allowed.includes(caller));
  return stranger === undefined ? undefined : `${stranger} may execute it`;
}

/** Digest of the text as it is stored, which is as it stood between the dollar quotes. */
const INSTALLED = `SELECT format('%s(%s)', p.proname,
      (SELECT coalesce(string_agg(format_type(t.oid, NULL), ', ' ORDER BY t.position), '') FROM unnest(p.proargtypes) WITH ORDINALITY t (oid, position))),
    encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'), a.rolname, p.prosecdef, lower(array_to_string(p.proconfig, E'\\n')),
    (SELECT string_agg(CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee)::text END, E'\\n')
      FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) e)
  FROM pg_proc p JOIN pg_roles a ON a.oid = p.proowner
  WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'countersign')`;

/** The owner of the functions is nobody; the owner of objects owns objects and nothing else. */
async function checkOwner(session: OwnSession, request: SetupRequest): Promise<readonly Finding[]> {
  const names = [request.owner, ...(request.objects === undefined ? [] : [request.objects])];
  const rows =
    (await ask(
      session,
      `SELECT format('%I is %s', a.rolname, v.word), format('ALTER ROLE %I %s;', a.rolname, v.cure)
        FROM pg_roles a CROSS JOIN LATERAL (VALUES (a.rolcanlogin, 'a login', 'NOLOGIN'), (a.rolsuper, 'a superuser', 'NOSUPERUSER'),
          (a.rolcreatedb, 'CREATEDB', 'NOCREATEDB'), (a.rolreplication, 'REPLICATION', 'NOREPLICATION'), (a.rolbypassrls, 'BYPASSRLS', 'NOBYPASSRLS'),
          (a.rolcreaterole AND a.rolname <> ${literal(request.owner)}, 'CREATEROLE', 'NOCREATEROLE')) v (holds, word, cure)
        WHERE a.rolname IN (${names.map((name) => literal(name)).join(', ')}) AND v.holds
      UNION ALL SELECT format('%I is a member of %I', m.member::regrole, m.roleid::regrole), format('REVOKE %s FROM %s;', m.roleid::regrole, m.member::regrole)
        FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles b ON b.oid = m.member
        WHERE r.rolname = ${literal(request.owner)} AND NOT b.rolsuper ORDER BY 1`,
    )) ?? [];
  const why = "the rights that the functions run with must be nobody's";
  return rows.map((row) => findingOf('setup-owner', 'high', why, row));
}

function findingOf(
  id: string,
  severity: Severity,
  why: string,
  [what, cure]: readonly (string | null | undefined)[],
): Finding {
  const finding = { id, severity, what: what ?? '', why };
  return cure == null ? finding : { ...finding, cure };
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
