/**
 * Keys that the design has and this version has not. Meeting one is an error that says so: a rule that an operator
 * wrote down and that nobody enforces is worse than a gateway that does not start.
 */
export const KEYS_OF_LATER_VERSIONS: Readonly<Record<string, string>> = {
  alerts: 'alert rules',
  approval: 'approvals',
  approvals: 'approvals',
  approvers: 'approvals',
  attribution: 'attribution of MCP calls',
  breakGlass: 'break-glass access',
  budget: 'row budgets',
  cluster: 'several nodes',
  console: 'the web console',
  evidence: 'evidence reports',
  http: 'HTTP targets and listeners',
  isolation: 'isolation of spawned MCP servers',
  maxBytes: 'limits on bytes per grant',
  maxRows: 'limits on rows per grant',
  mcp: 'MCP servers and tools',
  oauth: 'OAuth',
  oidc: 'OpenID Connect',
  reconcile: 'reconciliation with the target',
  retentionClasses: 'retention schedules',
  rows: 'row predicates in grants',
  store: 'the search store',
  tools: 'MCP servers and tools',
};

/** Protocols of targets that later versions speak. */
export const PROTOCOLS_OF_LATER_VERSIONS: readonly string[] = [
  'http',
  'mcp',
  'mysql',
  'redis',
  'ssh',
  'mongodb',
];
