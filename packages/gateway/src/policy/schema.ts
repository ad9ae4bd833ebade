/**
 * The Cedar schema that policies are checked against, strictly: a policy that speaks of what does not exist does not load.
 * `docs/policy.md` explains it for authors, `countersign policy schema` prints it for editors.
 *
 * No permission for something weaker may be one for something stronger. That is why a function that reaches outside, a relation that shows
 * others' secrets and a server-wide change are asked under actions of their own (`special`, `admin`), whatever verb names them.
 */
export const POLICY_SCHEMA = `// Who. A principal is in the groups that its entry in \`principals\` names.
entity Group;
entity User in [Group] = { name: String, kind: String, groups: Set<String> };
entity Agent in [Group] = { name: String, kind: String, groups: Set<String> };
entity Service in [Group] = { name: String, kind: String, groups: Set<String> };

// What. Ids are paths, such as Relation::"bank/ledger/public/accounts": target, database, schema, name. In a name, "%" is
// written %25 and "/" is written %2F; everything else stands as it is in the catalog.
entity Target = { name: String };
entity Database in [Target] = { name: String, target: String };
entity Schema in [Database] = { name: String, database: String, target: String };
// A class of regulated values in a database, such as Class::"bank/ledger/ssn". "*": values that may be of any class.
entity Class in [Database] = { name: String, database: String, target: String };
// What is granted by its own name, such as Special::"bank/ledger/listen".
entity Special in [Database] = { name: String, database: String, target: String };
// class: "data", "structure" (system, names and types), "values" (system, others' values or secrets), "temp".
entity Relation in [Schema, Special] = { name: String, schema: String, database: String, target: String, class: String };
// class: "own", or what it can reach: a name of Special.
entity Function in [Schema, Special] = { name: String, schema: String, database: String, target: String, class: String };
entity Tool in [Target] = { name: String, target: String };
entity Endpoint in [Target] = { path: String, target: String };

type Grant = { id: String, standing: Bool, purpose?: String };

action connect appliesTo {
  principal: [User, Agent, Service], resource: [Database], context: { grant: Grant }
};

action "read", "write";
// columns: those that are read or written, by name; empty when rows are only counted. With allColumns it holds "*".
// via: the view, rule or trigger through which it is reached, when the statement does not name it itself.
action select in ["read"] appliesTo {
  principal: [User, Agent, Service], resource: [Relation],
  context: { grant: Grant, verb: String, columns: Set<String>, allColumns: Bool, via?: String }
};
action insert, update, delete, truncate, maintain in ["write"] appliesTo {
  principal: [User, Agent, Service], resource: [Relation],
  context: { grant: Grant, verb: String, columns: Set<String>, allColumns: Bool, via?: String }
};
action execute appliesTo {
  principal: [User, Agent, Service], resource: [Function], context: { grant: Grant, via?: String }
};
// object: what is made, altered or dropped, where the statement names it.
action ddl appliesTo {
  principal: [User, Agent, Service], resource: [Schema], context: { grant: Grant, object?: String }
};
// A capability by its name; a function that reaches it; a system relation that shows others' values.
action special appliesTo {
  principal: [User, Agent, Service], resource: [Special, Function, Relation],
  context: { grant: Grant, verb?: String, columns?: Set<String>, allColumns?: Bool, via?: String }
};
// The whole server (roles, databases, settings), and every write to a system relation.
action admin appliesTo {
  principal: [User, Agent, Service], resource: [Target, Function, Relation],
  context: { grant: Grant, verb?: String, columns?: Set<String>, allColumns?: Bool, via?: String }
};

// Values of the class leave unmasked, where the grant says unmask. Without a permit they are masked, the statement is not refused.
action unmask appliesTo {
  principal: [User, Agent, Service], resource: [Class], context: { grant: Grant }
};

// Written down already, asked by later versions.
action "http_read", "http_write";
action call_tool appliesTo {
  principal: [User, Agent, Service], resource: [Tool], context: { grant: Grant }
};
action http_get, http_head, http_options in ["http_read"] appliesTo {
  principal: [User, Agent, Service], resource: [Endpoint], context: { grant: Grant }
};
action http_post, http_put, http_patch, http_delete in ["http_write"] appliesTo {
  principal: [User, Agent, Service], resource: [Endpoint], context: { grant: Grant }
};
action request, approve, break_glass appliesTo {
  principal: [User, Agent, Service], resource: [Target], context: {}
};
`;

/** Actions that this version asks about, with the groups that a policy may name instead. */
export const ASKED_ACTIONS = {
  connect: [],
  select: ['read'],
  insert: ['write'],
  update: ['write'],
  delete: ['write'],
  truncate: ['write'],
  maintain: ['write'],
  execute: [],
  ddl: [],
  special: [],
  admin: [],
  unmask: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type AskedAction = keyof typeof ASKED_ACTIONS;

/**
 * What the gateway may do in its own name: whatever its declared grants cover, which configuration cannot widen. It stands beside every set, for
 * the gateway's own sessions alone, so that a mistake in a folder cannot make the gateway blind; the record names it as any other.
 */
export const OWN_POLICY_ID = 'countersign.gateway';
export const OWN_POLICY = `@id("${OWN_POLICY_ID}")
permit (principal == Service::"gateway", action, resource);`;

/** Ids that begin so are the product's. */
export const RESERVED_PREFIX = 'countersign.';
