/** The policies that `countersign init` writes; examples/policies/starter.cedar is the same text, and a test sees to it. */
export const STARTER_POLICIES = `// What everybody with a grant may do. A grant says on what and for how long; a policy says who may do which kind of thing at
// all. Both have to say yes, and one forbid outweighs every permit. docs/policy.md explains the words; \`countersign policy test\`
// tries a change before it is in force.

// Coming in. Without a grant nobody gets this far.
@id("connect")
permit (principal, action == Action::"connect", resource);

// Names and types of things: tools ask for them before anything else. No rows, no statements of others.
@id("read-structure")
permit (principal, action == Action::"select", resource)
when { resource.class == "structure" };

// Reading what the grant covers.
@id("read-data")
permit (principal, action == Action::"select", resource)
when { resource.class == "data" || resource.class == "temp" };

// Changing rows that the grant covers.
@id("change-rows")
permit (
  principal,
  action in [Action::"insert", Action::"update", Action::"delete"],
  resource
);

// Functions of the target's own that the grant names. Those with their owner's rights need a policy of their own.
@id("run-functions")
permit (principal, action == Action::"execute", resource);

// Temporary tables, which end with the session.
@id("temporary-tables")
permit (principal, action == Action::"special", resource)
when { resource.name == "create-temp" };

// Making and changing tables and the like is for people.
@id("people-make-objects")
permit (
  principal is User,
  action in [Action::"ddl", Action::"truncate", Action::"maintain"],
  resource
);

// Whatever a grant or another policy says: no agent changes the structure, empties a table or touches the server.
@id("agents-change-rows-only")
forbid (
  principal is Agent,
  action in [Action::"ddl", Action::"truncate", Action::"maintain", Action::"admin"],
  resource
);
`;
