/**
 * Turns a request into the question that Cedar is asked. It is given two entities, the principal and the resource, each with everything it is in:
 * schema, database and target need no entities of their own, and building them would cost a third of a decision.
 */

import type { EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

import type { RelationAccess, RoutineAccess } from './access.ts';
import type { PolicyRequest } from './policy-request.ts';
import type { AskedAction } from './schema.ts';

export interface Question {
  readonly action: AskedAction;
  readonly principal: TypeAndId;
  readonly resource: TypeAndId;
  readonly entities: EntityJson[];
  readonly context: EntityJson['attrs'];
}

const PRINCIPAL_TYPES = { human: 'User', agent: 'Agent', service: 'Service' } as const;

/** Schemas of the system: making an object in one changes the server. */
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

export function questionOf(request: PolicyRequest): Question {
  const { principal, grant } = request;
  const who = { type: PRINCIPAL_TYPES[principal.kind], id: principal.name };
  const groups = principal.groups ?? [];
  const what = matterOf(request);
  return {
    action: what.action,
    principal: who,
    resource: what.resource,
    entities: [
      {
        uid: who,
        attrs: { name: principal.name, kind: principal.kind, groups: [...groups] },
        parents: groups.map((group) => ({ type: 'Group', id: group })),
      },
      { uid: what.resource, attrs: what.attrs, parents: what.parents },
    ],
    context: {
      grant: {
        id: grant.id,
        standing: grant.standing,
        ...(grant.purpose === undefined ? {} : { purpose: grant.purpose }),
      },
      ...what.context,
    },
  };
}

interface Matter {
  readonly action: AskedAction;
  readonly resource: TypeAndId;
  readonly attrs: EntityJson['attrs'];
  /** All that it is in, at whatever remove. */
  readonly parents: TypeAndId[];
  readonly context: EntityJson['attrs'];
}

function matterOf(request: PolicyRequest): Matter {
  const { access } = request;
  const place = new Place(request.target, request.database);
  switch (access.kind) {
    case 'connect':
      return place.databaseMatter();
    case 'relation':
      return relationMatter(access, place);
    case 'routine':
      return routineMatter(access, place);
    case 'unmask':
      return place.classMatter(access.class);
    case 'schema':
      if (SYSTEM_SCHEMAS.has(access.schema)) return place.serverMatter();
      return place.schemaMatter(access.schema, access.name);
    default:
      return access.verb === 'admin' ? place.serverMatter() : place.specialMatter(access.verb);
  }
}

/** A read of others' values is no ordinary read, a write to the system's own relations is a change of the server. */
function relationAction({ class: kind, verb }: RelationAccess): AskedAction {
  if (kind === 'data' || kind === 'temp') return verb;
  if (verb !== 'select') return 'admin';
  return kind === 'values' ? 'special' : 'select';
}

function relationMatter(access: RelationAccess, place: Place): Matter {
  const { columns, verb } = access;
  const action = relationAction(access);
  return {
    action,
    ...place.inSchema('Relation', access, action === 'special' ? 'catalog-values' : undefined),
    context: {
      verb,
      // Never an empty set for "all": a policy that lists what may be read would be met by it.
      columns: columns === '*' ? ['*'] : [...columns],
      allColumns: columns === '*',
      ...viaOf(access),
    },
  };
}

function routineAction({ class: kind }: RoutineAccess): AskedAction {
  if (kind === 'own') return 'execute';
  return kind === 'admin' ? 'admin' : 'special';
}

function routineMatter(access: RoutineAccess, place: Place): Matter {
  const action = routineAction(access);
  return {
    action,
    ...place.inSchema('Function', access, action === 'special' ? access.class : undefined),
    context: viaOf(access),
  };
}

function viaOf({ via }: RelationAccess | RoutineAccess): { via?: string } {
  return via === undefined ? {} : { via };
}

/** Where in the target something is. */
class Place {
  readonly #names: { readonly target: string; readonly database: string };
  readonly #target: TypeAndId;
  readonly #database: TypeAndId;

  constructor(target: string, database: string) {
    this.#names = { target, database };
    this.#target = { type: 'Target', id: pathOf(target) };
    this.#database = { type: 'Database', id: pathOf(target, database) };
  }

  databaseMatter(): Matter {
    const { database: name, target } = this.#names;
    return {
      action: 'connect',
      resource: this.#database,
      attrs: { name, target },
      parents: [this.#target],
      context: {},
    };
  }

  serverMatter(): Matter {
    const attrs = { name: this.#names.target };
    return { action: 'admin', resource: this.#target, attrs, parents: [], context: {} };
  }

  schemaMatter(name: string, object: string | undefined): Matter {
    return {
      action: 'ddl',
      resource: this.#under('Schema', name),
      attrs: { ...this.#names, name },
      parents: [this.#database, this.#target],
      context: object === undefined ? {} : { object },
    };
  }

  specialMatter(name: string): Matter {
    return {
      action: 'special',
      resource: this.#under('Special', name),
      attrs: { ...this.#names, name },
      parents: [this.#database, this.#target],
      context: {},
    };
  }

  classMatter(name: string): Matter {
    return {
      action: 'unmask',
      resource: this.#under('Class', name),
      attrs: { ...this.#names, name },
      parents: [this.#database, this.#target],
      context: {},
    };
  }

  inSchema(
    type: 'Relation' | 'Function',
    { class: kind, name, schema }: RelationAccess | RoutineAccess,
    special: string | undefined,
  ): Pick<Matter, 'attrs' | 'parents' | 'resource'> {
    const parents = [this.#under('Schema', schema), this.#database, this.#target];
    if (special !== undefined) parents.push(this.#under('Special', special));
    return {
      resource: this.#under(type, schema, name),
      attrs: { ...this.#names, schema, name, class: kind },
      parents,
    };
  }

  #under(type: string, ...parts: readonly string[]): TypeAndId {
    return { type, id: pathOf(this.#names.target, this.#names.database, ...parts) };
  }
}

/** The id of what has this path. Different paths never have the same id, whatever characters their names hold. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/');
}
