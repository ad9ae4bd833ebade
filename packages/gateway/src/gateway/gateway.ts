import { startControlServer } from '../api/control-server.ts';
import type { ControlServer } from '../api/control-server.ts';
import type { CatalogService } from '../api/catalogs.ts';
import type { KeyService } from '../api/keys.ts';
import type { ReadContent } from '../api/read-contents.ts';
import type { CountersignConfig, Secrets } from '../config/config.ts';
import type { ExportStatus } from '../export/export-status.ts';
import { refuseDemo, markDemo } from '../config/demo-rule.ts';
import { formatProblem } from '../config/problem.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { createSecrets } from '../config/secrets.ts';
import { CountersignError } from '../errors.ts';
import { GrantRegistry } from '../grants/grant-registry.ts';
import { IdentityKeyRing } from '../identity/identity-keys.ts';
import { PrincipalRegistry } from '../identity/principal-registry.ts';
import { startHealthServer } from '../observe/health-server.ts';
import type { HealthServer } from '../observe/health-server.ts';
import { createLogger, errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { ListenerSettings, PostgresListener } from '../postgres/authenticated-client.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { CancelRegistry } from '../postgres/cancel.ts';
import { listenPostgres } from '../postgres/listener.ts';
import { AnalysisService } from '../postgres/analysis/analysis-service.ts';
import { initParser } from '../postgres/inspect/parse/parse-statement.ts';
import type { KeysInForce } from '../record/keys-in-force.ts';
import { parseVaultPublicKey } from '../record/keys.ts';
import type { TimestampService } from '../record/timestamp/timestamp-service.ts';
import { Authorizer } from '../session/authorizer.ts';
import type { FairAdmission } from '../session/fair-admission.ts';
import { acceptClient } from './accept-client.ts';
import { catalogService } from './catalog-service.ts';
import { Catalogs } from './catalogs.ts';
import { ClassifyDesk } from './classify-service.ts';
import { Custody } from './custody.ts';
import { Exporting } from './exporting.ts';
import { KeyDesk } from './key-desk.ts';
import { Masking } from './masking.ts';
import type { ClassifiedDatabase } from './masking.ts';
import { ProbeBudgets } from './probe-budgets.ts';
import { naming } from './listen-error.ts';
import { OpenSessions } from './open-sessions.ts';
import { openRecord } from './open-record.ts';
import type { GatewayRecorder, OpenRecord, OpenRecordOptions } from './open-record.ts';
import { readCustodianKey } from './record-keys.ts';
import { loadPoliciesOf, recordPolicies, reloadPoliciesOf } from './policies.ts';
import { recordConfiguration } from './record-start.ts';
import { assertReloadable, fixedSettings } from './reload.ts';
import type { FixedSettings } from './reload.ts';
import { RefusalLog } from './refusal-log.ts';
import { TargetRoles } from './roles.ts';
import { runningSoftware } from './software.ts';
import { lockState } from './state-lock.ts';
import type { StateLock } from './state-lock.ts';
import { shareAdmission } from './share-admission.ts';
import { watchRecord } from './watch-record.ts';
import { forgetSuccession, recordRecovery } from './succession.ts';
import { startTimestamping } from './timestamping.ts';
import { Tracing } from './tracing.ts';
import { TrafficCounter } from './traffic.ts';
import { assertSecrets } from './try-secrets.ts';
import { askBeforeStart, witnessParts } from './witness-start.ts';
import { Witnessing } from './witnessing.ts';
import type { WitnessStatus } from './witnessing.ts';

export interface GatewayOptions {
  /** Default: JSON lines on stderr. */
  readonly logger?: Logger;
  /** Default: environment and files. */
  readonly secrets?: Secrets;
  /** Start although acknowledged leaves are damaged; the loss is recorded (decision 18). Default false. */
  readonly acceptLoss?: boolean;
  /** Tests only. */
  readonly faults?: OpenRecordOptions['faults'];
  /** For tests and benchmarks only; configuration cannot reach it. */
  readonly openRecord?: OpenRecord;
  /** Called once when the record can no longer be trusted: the process must stop. */
  readonly onFatal?: (error: unknown) => void;
}

/** What `GET /v1/status` of the control socket tells. */
export interface GatewayStatus {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly ready: boolean;
  readonly reason?: string;
  readonly config: { readonly file: string; readonly digest: string };
  readonly listen: { readonly postgres: string; readonly health?: string };
  readonly sessions: number;
  readonly exports: readonly ExportStatus[];
  readonly commands: number;
  readonly log: { readonly origin: string; readonly size: number; readonly checkpointAgeMs: number };
  readonly witness: WitnessStatus;
  /** Absent: nothing is masked. */
  readonly masking?: { readonly rules: string; readonly databases: readonly ClassifiedDatabase[] };
}

/**
 * Starts a gateway: state lock, secrets, record, registries, listeners, in this order, so that nothing is accepted before it can be
 * recorded. Rejects with a `CountersignError` after undoing what was started.
 */
export async function startGateway(
  config: CountersignConfig,
  options: GatewayOptions = {},
): Promise<Gateway> {
  if (config.demo) markDemo(config);
  else refuseDemo(config);
  const started: (() => Promise<void> | void)[] = [];
  try {
    return await build(config, options, started);
  } catch (error) {
    for (const undo of started.toReversed()) await undo();
    throw error;
  }
}

async function build(
  config: CountersignConfig,
  options: GatewayOptions,
  started: (() => Promise<void> | void)[],
): Promise<Gateway> {
  const logger = options.logger ?? createLogger();
  const secrets = options.secrets ?? createSecrets();
  await initParser();
  const lock = lockState(config.stateDirectory);
  started.push(() => lock.release());
  await assertSecrets(config, secrets);
  const keys = await IdentityKeyRing.load(config.stateDirectory);
  const principals = await PrincipalRegistry.load(config.principals, secrets);
  const masking = await Masking.load(config, secrets, logger);
  const policies = loadPoliciesOf(config);
  warnOf(config, policies.warnings, logger);
  // Before the first leaf of this run: two histories under one key cannot be undone.
  const parts = await witnessParts(config, secrets);
  const findings = await askBeforeStart(config, parts, logger);
  const recorder = await (options.openRecord ?? openRecord)({
    config,
    secrets,
    software: runningSoftware(),
    acceptLoss: options.acceptLoss ?? false,
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  started.push(() => recorder.close('start failed'));
  watchRecord(recorder, logger, options.onFatal);
  await recordConfiguration(recorder, config, 'start');
  await recordPolicies(recorder, policies.set, 'start');
  forgetSuccession(config.stateDirectory);
  await recordRecovery(config.stateDirectory, recorder);
  const witnessing = await Witnessing.start({ config, recorder, logger, parts, findings });
  started.push(() => witnessing.stop());
  await recorder.keys?.announceIdentity(keys.fingerprint);
  const probes = await openProbes(config, masking);
  started.push(() => probes?.close());
  const gateway = new Gateway({
    config,
    policies: policies.set,
    logger,
    secrets,
    lock,
    keys,
    recorder,
    witnessing,
    masking,
    probes,
  });
  await gateway.open(principals, started);
  return gateway;
}

/** Undefined: nothing is masked, so nothing is counted. */
function openProbes(
  { record: { timeoutMs }, stateDirectory }: CountersignConfig,
  masking: Masking | undefined,
): Promise<ProbeBudgets | undefined> {
  if (masking === undefined) return Promise.resolve(undefined);
  return ProbeBudgets.open({ stateDirectory, key: masking.keys.probe, timeoutMs });
}

interface Parts {
  readonly config: CountersignConfig;
  readonly policies: PolicySet;
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly lock: StateLock;
  readonly keys: IdentityKeyRing;
  readonly recorder: GatewayRecorder;
  readonly witnessing: Witnessing;
  readonly masking: Masking | undefined;
  readonly probes: ProbeBudgets | undefined;
}

/** A running gateway. Made by {@link startGateway}. */
export class Gateway {
  readonly grants: GrantRegistry;
  readonly sessions = new OpenSessions();
  readonly traffic = new TrafficCounter();
  readonly tracing: Tracing;
  readonly cancels: CancelRegistry;
  readonly admission: FairAdmission;
  readonly analysis: AnalysisService;
  readonly authorizer: Authorizer;
  readonly refusals: RefusalLog;
  readonly catalogs: Catalogs;
  readonly catalogService: CatalogService;
  readonly classifyService: ClassifyDesk;
  readonly roles: TargetRoles;
  readonly recorder: GatewayRecorder;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly keys: IdentityKeyRing;
  readonly keyService: KeyService;
  readonly custody: Custody;
  readonly witnessing: Witnessing;
  /** Undefined: nothing is masked. */
  readonly masking: Masking | undefined;
  /** Which regulated values were asked for; undefined: nothing is masked. */
  readonly probes: ProbeBudgets | undefined;
  readonly #lock: StateLock;
  readonly #startedAt = new Date();
  /** In force now; replaced as a whole by `reload`. */
  #config: CountersignConfig;
  #policies: PolicySet;
  #draining = false;
  #reloading = Promise.resolve();
  #closing: Promise<void> | undefined;
  #listener: PostgresListener | undefined;
  #health: HealthServer | undefined;
  #control: ControlServer | undefined;
  #exports: Exporting | undefined;
  #timestamps: TimestampService | undefined;

  constructor(parts: Parts) {
    this.#config = parts.config;
    this.#policies = parts.policies;
    this.logger = parts.logger;
    this.secrets = parts.secrets;
    this.tracing = new Tracing(parts.secrets);
    this.recorder = parts.recorder;
    this.keys = parts.keys;
    this.keyService = new KeyDesk({
      config: () => this.#config,
      secrets: parts.secrets,
      keys: () => keysOf(parts.recorder),
      identity: parts.keys,
    });
    this.custody = new Custody(parts.config, parts.recorder, parts.logger);
    this.#lock = parts.lock;
    this.witnessing = parts.witnessing;
    this.masking = parts.masking;
    this.probes = parts.probes;
    this.cancels = new CancelRegistry({ node: parts.config.node, worker: 0, secret: parts.keys.cancel });
    this.admission = shareAdmission(parts.recorder, () => this.#config.limits.principal, parts.logger);
    const { maxStatementBytes, statementCacheBytes } = parts.config.limits;
    this.analysis = new AnalysisService({
      maxBytes: statementCacheBytes,
      texts: { maxTextBytes: maxStatementBytes },
    });
    this.authorizer = new Authorizer(() => this.#policies);
    this.refusals = new RefusalLog(parts.logger);
    this.catalogs = new Catalogs(parts);
    this.catalogService = catalogService(this.catalogs, () => this.#config);
    this.classifyService = new ClassifyDesk({
      ...parts,
      config: () => this.#config,
      catalogs: this.catalogs,
    });
    this.roles = new TargetRoles({ ...parts, config: () => this.#config });
    this.grants = new GrantRegistry({
      grants: parts.config.grants,
      targets: parts.config.targets,
      recorder: parts.recorder,
      onRecordFailure: (error) =>
        this.logger.error('the end of a grant could not be recorded', errorFields(error)),
    });
  }

  /** For {@link startGateway} only: opens the listeners and registers how to close each. */
  async open(principals: PrincipalRegistry, started: (() => Promise<void> | void)[]): Promise<void> {
    started.push(() => this.grants.close());
    started.push(() => this.catalogs.close());
    this.roles.start();
    started.push(() => this.roles.close());
    const { health } = this.#config.listen;
    if (health !== undefined) {
      const server = await naming('listen.health.address', health, () => this.#startHealth(health));
      started.push(() => server.close());
      this.logger.info('health listening', { address: server.host, port: server.port });
    }
    await this.tracing.configure(this.#config);
    started.push(() => this.tracing.close());
    const exports = await Exporting.start({
      config: this.#config,
      secrets: this.secrets,
      recorder: this.recorder,
      logger: this.logger,
      version: runningSoftware().version,
    });
    this.#exports = exports;
    started.push(() => exports.close());
    this.custody.start();
    started.push(() => this.custody.close());
    const { logger, recorder, secrets } = this;
    this.#timestamps = await startTimestamping({ config: this.#config, secrets, recorder, logger });
    started.push(() => this.#timestamps?.close());
    const control = await startControlServer(this);
    this.#control = control;
    started.push(() => control.close());
    const listen = (): Promise<PostgresListener> =>
      listenPostgres({
        settings: this.#listenerSettings(this.#config, principals),
        recorder: this.recorder,
        keys: this.keys,
        cancels: this.cancels,
        onClient: (client) => acceptClient(client, this),
        onRefused: ({ error, address, principal, omitted }) => {
          const fields = { ...errorFields(error), address, ...(omitted === 0 ? {} : { count: omitted }) };
          this.logger.warn('connection refused', principal === undefined ? fields : { ...fields, principal });
        },
      });
    this.#listener = await naming('listen.postgres.address', this.#config.listen.postgres, listen);
    this.logger.info('listening', { address: this.#listener.host, port: this.#listener.port });
  }

  get config(): CountersignConfig {
    return this.#config;
  }

  /** Whatever is decided after a reload is decided by the next set. */
  get policies(): PolicySet {
    return this.#policies;
  }

  /** What a reload cannot change, as it is in force. */
  get fixedSettings(): FixedSettings {
    return fixedSettings(this.#config);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Where PostgreSQL clients connect; the port is the real one when the configuration says 0. */
  get address(): { readonly host: string; readonly port: number } {
    return { host: this.#listener?.host ?? '', port: this.#listener?.port ?? 0 };
  }

  /** For the control socket: opens sealed contents, at most so many bytes. Whoever calls it has recorded `log.read` before. */
  async readContents(from: number, to: number, maxBytes: number): Promise<readonly ReadContent[]> {
    const contents: ReadContent[] = [];
    let left = maxBytes;
    for await (const { jseq, field, salt, bytes, spool } of this.recorder.readPayloads(from, to)) {
      left -= bytes?.length ?? 0;
      if (left < 0) {
        throw new CountersignError('CS_REQUEST_INVALID', {
          detail: `the contents are larger than ${maxBytes} bytes`,
          hint: 'Ask for fewer leaves.',
        });
      }
      contents.push({
        jseq,
        field,
        salt: salt.toString('base64'),
        ...(bytes === undefined ? {} : { bytes: bytes.toString('base64') }),
        ...(spool === undefined ? {} : { spool }),
      });
    }
    return contents;
  }

  /** Where health and metrics answer, if they do. */
  get healthAddress(): { readonly host: string; readonly port: number } | undefined {
    return this.#health === undefined ? undefined : { host: this.#health.host, port: this.#health.port };
  }

  /** Why no traffic is taken, in one sentence without secrets; `undefined` when it is. */
  get notReady(): string | undefined {
    if (this.#draining) return 'the gateway is shutting down';
    const { ready, reason } = this.recorder.health();
    if (!ready) return reason ?? 'the record is not ready';
    return this.#listener === undefined ? 'the gateway is starting' : this.witnessing.notReady;
  }

  get status(): GatewayStatus {
    const { treeSize, checkpointAgeMs } = this.recorder.health();
    const reason = this.notReady;
    const health = this.healthAddress;
    return {
      version: runningSoftware().version,
      node: this.#config.node,
      pid: process.pid,
      startedAt: this.#startedAt.toISOString(),
      ready: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      config: { file: this.#config.file, digest: this.#config.digest },
      listen: {
        postgres: `${this.address.host}:${this.address.port}`,
        ...(health === undefined ? {} : { health: `${health.host}:${health.port}` }),
      },
      sessions: this.sessions.size,
      exports: this.#exports?.statuses ?? [],
      commands: this.traffic.totals.commands,
      log: { origin: this.#config.log.origin, size: treeSize, checkpointAgeMs },
      witness: this.witnessing.status,
      ...(this.masking === undefined
        ? {}
        : { masking: { rules: this.masking.rules.version, databases: this.masking.databases } }),
    };
  }

  /**
   * Puts a new configuration and its policies in force, all or nothing: certificates, credentials, secrets and policies are read and
   * checked first, `config.changed` and `policy.activated` are durable next, and only then anything changes. Sessions stay, except those whose grant disappeared
   * or changed. Rejects with the configuration in force unchanged. Calls are taken one after another.
   */
  reload(next: CountersignConfig): Promise<void> {
    const turn = this.#reloadAfter(this.#reloading, next);
    this.#reloading = turn.catch(() => {});
    return turn;
  }

  async #reloadAfter(before: Promise<void>, next: CountersignConfig): Promise<void> {
    await before;
    await this.#reload(next);
  }

  async #reload(next: CountersignConfig): Promise<void> {
    const before = this.#config;
    assertReloadable(before, next);
    if (!next.demo) refuseDemo(next);
    await assertSecrets(next, this.secrets);
    const principals = await PrincipalRegistry.load(next.principals, this.secrets);
    const custodian = parseVaultPublicKey(await readCustodianKey(next, this.secrets));
    const policies = await reloadPoliciesOf(next);
    warnOf(next, policies.warnings, this.logger);
    await recordConfiguration(this.recorder, next, 'reload', before);
    try {
      await recordPolicies(this.recorder, policies.set, 'reload', this.#policies);
      await this.recorder.keys?.changeCustodian(custodian);
      await this.#listener?.reload(this.#listenerSettings(next, principals));
    } catch (error) {
      // A certificate vanished since it was checked. The record said that the new text is in force: take that back.
      await recordConfiguration(this.recorder, before, 'reload', next);
      await recordPolicies(this.recorder, this.#policies, 'reload', policies.set);
      throw error;
    }
    this.#config = next;
    this.#policies = policies.set;
    this.recorder.setConfigDigest(next.digest);
    this.custody.reload(next);
    this.grants.reload(next.grants, next.targets);
    this.masking?.reload(next);
    this.catalogs.reload(next.targets);
    this.analysis.cache.maxBytes = next.limits.statementCacheBytes;
    this.roles.reload();
    this.#exports?.reload(next);
    await this.tracing.configure(next);
    this.logger.info('configuration reloaded', { digest: next.digest });
  }

  /**
   * Ends in order: no new connections, sessions end (idle ones at once, others after their transaction, after
   * `limits.drainTimeout` without waiting), the record is closed. Safe to call again.
   */
  close(reason = 'stopped'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  /** Cuts a `close` short: open transactions are cancelled and recorded as cut. */
  closeNow(): Promise<void> {
    const closing = this.close('stopped at once');
    this.sessions.endNow();
    return closing;
  }

  async #close(reason: string): Promise<void> {
    this.#draining = true;
    this.logger.info('draining', { count: this.sessions.size, reason });
    await this.#reloading;
    await this.#listener?.stopAccepting();
    await this.sessions.end(this.#config.limits.drainTimeoutMs);
    await this.analysis.close();
    this.classifyService.close();
    await this.probes?.close();
    await this.roles.close();
    await this.catalogs.close();
    await this.#control?.close();
    this.grants.close();
    this.custody.close();
    await this.#timestamps?.close();
    await this.witnessing.stop();
    await this.recorder.close(reason);
    await this.#exports?.close();
    await this.tracing.close();
    await this.witnessing.finish();
    // Last, so that probes see "shutting down" and not a refused connection for as long as possible.
    await this.#health?.close();
    this.#lock.release();
    this.logger.info('stopped', { reason });
    this.logger.flush();
  }

  async #startHealth(place: { readonly host: string; readonly port: number }): Promise<HealthServer> {
    const metrics = createMetrics({
      recorder: this.recorder,
      sessions: () => this.sessions.size,
      connections: () => this.#listener?.counts ?? { open: 0, pending: 0 },
      refusals: () => addCounts(this.traffic.refusals, this.#listener?.counts.refused),
      cancels: () => this.cancels.counts,
      traffic: () => this.traffic.totals,
      pacing: () => this.admission,
      catalogs: () => this.catalogs.figures,
      roles: () => this.roles.figures,
      masking: this.masking === undefined ? undefined : () => this.traffic.masking,
      exports: () => this.#exports?.statuses ?? [],
      spans: () => this.tracing.totals,
      notReady: () => this.notReady,
      witness: () => this.witnessing.status,
      timestamps: () => this.#timestamps?.status,
      version: runningSoftware().version,
    });
    this.#health = await startHealthServer(place, {
      notReady: () => this.notReady,
      metrics: async () => ({ contentType: metrics.contentType, body: await metrics.metrics() }),
    });
    return this.#health;
  }

  #listenerSettings(config: CountersignConfig, principals: PrincipalRegistry): ListenerSettings {
    return {
      listener: config.listen.postgres,
      limits: config.limits,
      principals,
      allowedSettings: new Map(config.targets.map((target) => [target.name, target.allowedSettings])),
      secrets: this.secrets,
    };
  }
}

function warnOf(config: CountersignConfig, warnings: readonly ConfigProblem[], logger: Logger): void {
  for (const problem of warnings) logger.warn('policies', { detail: formatProblem(config.file, problem) });
}

function keysOf({ keys }: GatewayRecorder): KeysInForce {
  if (keys === undefined)
    throw new CountersignError('CS_REQUEST_INVALID', { detail: 'this recorder has no keys' });
  return keys;
}

function addCounts(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const sum = new Map(one);
  for (const [code, count] of other) sum.set(code, (sum.get(code) ?? 0) + count);
  return sum;
}
