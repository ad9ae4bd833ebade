/**
 * The rooms of the gateway and the arrows between them: docs/architecture.md, as data. A room may import itself, the
 * rooms named here, `countersign-verify` and `errors.ts`.
 */
export interface Room {
  /** Whose code it may call. */
  readonly uses: readonly string[];
  /** Whose types alone it may know besides (`import type`); those of `SHARED_TYPES` everyone may. */
  readonly knows?: readonly string[];
}

/** The configuration and the record are what every room speaks of. */
export const SHARED_TYPES = ['config', 'record'] as const;

const EVERYTHING = [
  'record',
  'identity',
  'policy',
  'grants',
  'masking',
  'session',
  'postgres',
  'config',
  'observe',
  'api',
  'export',
  'gateway',
];

export const ROOMS: Readonly<Record<string, Room>> = {
  record: { uses: [] },
  identity: { uses: ['record'] },
  policy: { uses: ['identity'] },
  grants: { uses: ['policy', 'identity', 'record'], knows: ['masking'] },
  // Only computes: what a grant lets out it is told.
  masking: { uses: [] },
  session: { uses: ['record', 'identity', 'policy', 'grants', 'masking'] },
  // What a statement touches is said in the words of policy.
  postgres: { uses: ['session', 'identity', 'masking'], knows: ['policy'] },
  // The verbs of a scope are those of policy, classes and transforms those of masking.
  config: { uses: [], knows: ['policy', 'masking'] },
  observe: { uses: [] },
  // In a thread of its own; reads the log from its files, as anyone could.
  export: { uses: ['record', 'config'] },
  // A process of its own; of the gateway it shares the file layer, the reading of configuration and secrets, and the log.
  witness: { uses: ['record', 'config', 'observe'] },
  // Not the gateway, which starts it: what it needs of it is named in its own control-services.ts.
  api: { uses: ['record', 'identity', 'policy', 'grants', 'session', 'config', 'observe'] },
  gateway: { uses: EVERYTHING },
  cli: { uses: [...EVERYTHING, 'witness'] },
};

/** Folders whose code only computes: no network, no files, no processes, no clock of the operating system. */
export const PURE_FOLDERS = [
  'packages/gateway/src/postgres/wire',
  'packages/gateway/src/postgres/inspect',
  'packages/gateway/src/postgres/lineage',
  'packages/gateway/src/masking',
] as const;

export const IMPURE_MODULES =
  /^node:(net|tls|fs|fs\/promises|http|http2|https|dgram|child_process|worker_threads|dns|os)$/;
