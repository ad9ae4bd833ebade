/** What `countersign init` was told, or assumes. */
export interface InitSettings {
  readonly origin: string;
  readonly target: string;
  readonly host: string;
  readonly database: string;
  readonly login: string;
  readonly principal: string;
  readonly owner: string;
  /** `human`, `agent` or `service`. */
  readonly kind: string;
  /** RFC 3339. */
  readonly expires: string;
}

/** The configuration that `init` writes: small, working, and silent about everything that has a good default. */
export function initialConfig(settings: InitSettings): string {
  return `# Countersign. Every key with its meaning: examples/countersign.yaml and docs/configuration.md in the repository.
version: 1
state: ./state

log:
  origin: ${settings.origin}
  signingKey: file:keys/log-signing.pem

# The private half of this key is with the custodian, not on this machine.
vault:
  custodianKey: file:keys/custodian.public.pem

listen:
  postgres:
    address: 127.0.0.1:6432
  health:
    address: 127.0.0.1:9464

# Who may do which kind of thing at all, in Cedar (docs/policy.md). A grant and a policy have to say yes.
policies: policies

# Nothing is masked without a section masking: docs/masking.md says how to find what is regulated and set it up.
# masking:
#   key: file:keys/masking.key

targets:
  ${settings.target}:
    protocol: postgres
    hosts: [${text(settings.host)}]
    database: ${text(settings.database)}
    logins:
      default:
        user: ${text(settings.login)}
        password: file:secrets/${settings.target}.password

principals:
  - name: ${settings.principal}
    owner: ${text(settings.owner)}
    kind: ${text(settings.kind)}
    credential: file:secrets/${settings.principal}.verifier

grants:
  - id: ${settings.principal}-${settings.target}
    principal: ${settings.principal}
    target: ${settings.target}
    # Without a login, sessions run as a role that is made for the scope: docs/second-wall.md.
    login: default
    expires: ${settings.expires}
    # What it covers; everything else is refused. Put in the tables, columns and functions of the task.
    scope:
      relations:
        - on: ['public.*']
          verbs: [select]
`;
}

/** A JSON string is a YAML string. */
function text(value: string): string {
  return JSON.stringify(value);
}
