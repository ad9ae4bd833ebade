/** Statements whose effect is not in their words. `beyond.test.ts` runs each. */
export interface BeyondCase {
  readonly says: string;
  /** Texts before it in the same session; what they demand counts too. */
  readonly first?: readonly string[];
  readonly sql: string;
  /** search_path. Default: `a, b`. */
  readonly path?: string;
  /** What may be temporary when it is judged. */
  readonly temporary?: readonly string[];
  /** Routines that the server runs. */
  readonly runs?: readonly string[];
  /** Or what is demanded in place of what they are, because that is not known. */
  readonly opaque?: readonly string[];
  /** A query that is true after it. */
  readonly proof?: string;
  /** What must be demanded besides the routines that ran. */
  readonly demands?: readonly string[];
}

const NAMES = [
  'fee',
  'on_move',
  'on_default',
  'on_check',
  'on_index',
  'of_domain',
  'on_enable',
  'on_range',
  'on_shadow',
  'on_child',
];

const FUNCTIONS = NAMES.map(
  (name) => `
CREATE FUNCTION app.${name}(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'ran app.${name}'; RETURN true; END $$;
CREATE FUNCTION app.${name}_trigger() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'ran app.${name}_trigger'; RETURN coalesce(new, old); END $$;
CREATE FUNCTION app.${name}_value() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'ran app.${name}_value'; RETURN 2; END $$;`,
).join('');

export const SETUP = `
CREATE SCHEMA app; CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA secret;
${FUNCTIONS}
CREATE TABLE secret.keys (id int PRIMARY KEY, value text); INSERT INTO secret.keys VALUES (1, 'k');
CREATE TABLE app.plain (id int PRIMARY KEY, note text); INSERT INTO app.plain VALUES (1, 'one'), (2, 'two');
CREATE TABLE a.t (id int); CREATE TABLE b.t (id int); INSERT INTO a.t VALUES (1); INSERT INTO b.t VALUES (77);
CREATE DOMAIN app.small AS int CHECK (app.of_domain(VALUE));
CREATE DOMAIN a.small AS int CHECK (app.of_domain(VALUE));
CREATE DOMAIN a.d AS int; CREATE DOMAIN b.d AS int CHECK (app.on_shadow(VALUE));
CREATE TYPE app.pair AS (x app.small, y int);
CREATE TYPE app.smallrange AS RANGE (SUBTYPE = app.small);
CREATE FUNCTION app.takes(app.small) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'ran app.takes'; RETURN 1; END $$;
CREATE TABLE app.typed (id int, list app.small[], pair app.pair); INSERT INTO app.typed VALUES (1, '{1}', '(1,2)');
CREATE TABLE app.parted (id int, region text) PARTITION BY LIST (region);
CREATE TABLE app.north PARTITION OF app.parted FOR VALUES IN ('north');
CREATE TABLE app.south PARTITION OF app.parted FOR VALUES IN ('south');
INSERT INTO app.parted VALUES (1, 'north');
CREATE TRIGGER moved BEFORE DELETE ON app.north FOR EACH ROW EXECUTE FUNCTION app.on_move_trigger();
CREATE TRIGGER arrived BEFORE INSERT ON app.south FOR EACH ROW EXECUTE FUNCTION app.on_child_trigger();
CREATE TABLE app.master (id int PRIMARY KEY); INSERT INTO app.master VALUES (1), (2);
CREATE TABLE app.detail (id int, master int DEFAULT app.on_default_value() REFERENCES app.master ON DELETE SET DEFAULT ON UPDATE CASCADE,
  CHECK (app.on_check(master))) ;
INSERT INTO app.detail VALUES (1, 1);
CREATE TABLE app.defaults (id int DEFAULT app.on_default_value(), note text, CHECK (app.on_check(id)));
CREATE TABLE a.indexed (id int, note text); CREATE INDEX ON a.indexed ((app.on_index(id))); INSERT INTO a.indexed VALUES (1, 'x');
CREATE TABLE a.checked (id int, CHECK (app.on_check(id))); INSERT INTO a.checked VALUES (1); ALTER TABLE a.checked ADD CONSTRAINT later CHECK (app.on_check(id + 1)) NOT VALID;
CREATE VIEW a.invoker WITH (security_invoker = true) AS SELECT * FROM secret.keys;
CREATE TABLE a.triggered (id int);
CREATE TRIGGER off BEFORE INSERT ON a.triggered FOR EACH ROW EXECUTE FUNCTION app.on_enable_trigger();
ALTER TABLE a.triggered DISABLE TRIGGER off;
CREATE TABLE a.ruled (id int); CREATE RULE off AS ON INSERT TO a.ruled DO ALSO SELECT app.fee(1); ALTER TABLE a.ruled DISABLE RULE off;
CREATE TABLE a.parent (id int) PARTITION BY LIST (id);
CREATE TABLE a.kid (id int); CREATE TRIGGER kid BEFORE INSERT ON a.kid FOR EACH ROW EXECUTE FUNCTION app.on_child_trigger();
CREATE FUNCTION app.ctid(a.invoker) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'ran app.ctid'; RETURN 1; END $$;
CREATE TYPE app.point AS (x int, y int);
CREATE FUNCTION app.point_cmp(app.point, app.point) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'ran app.point_cmp'; RETURN ($1).x - ($2).x; END $$;
CREATE FUNCTION app.point_lt(app.point, app.point) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'ran app.point_lt'; RETURN ($1).x < ($2).x; END $$;
CREATE FUNCTION app.point_eq(app.point, app.point) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'ran app.point_eq'; RETURN ($1).x = ($2).x; END $$;
CREATE OPERATOR app.<< (LEFTARG = app.point, RIGHTARG = app.point, FUNCTION = app.point_lt);
CREATE OPERATOR app.== (LEFTARG = app.point, RIGHTARG = app.point, FUNCTION = app.point_eq, COMMUTATOR = OPERATOR(app.==));
CREATE OPERATOR CLASS app.point_ops DEFAULT FOR TYPE app.point USING btree AS
  OPERATOR 1 app.<<, OPERATOR 3 app.==, FUNCTION 1 app.point_cmp(app.point, app.point);
CREATE TABLE app.points (p app.point); INSERT INTO app.points VALUES ('(1,2)'), ('(2,1)'), ('(1,2)');
CREATE FUNCTION app.odd_cmp(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'ran app.odd_cmp'; RETURN $2 - $1; END $$;
CREATE FUNCTION app.odd_lt(int, int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'ran app.odd_lt'; RETURN $2 < $1; END $$;
CREATE OPERATOR app.<<< (LEFTARG = int, RIGHTARG = int, FUNCTION = app.odd_lt);
CREATE OPERATOR CLASS app.odd_ops FOR TYPE int USING btree AS
  OPERATOR 1 app.<<<, OPERATOR 3 pg_catalog.=, FUNCTION 1 app.odd_cmp(int, int);
CREATE TABLE a.odd (id int); CREATE INDEX ON a.odd (id app.odd_ops); INSERT INTO a.odd VALUES (1), (2);
CREATE TABLE a.even (id int); INSERT INTO a.even VALUES (1), (2), (3);
`;

/** With it, nearly every statement may run an own function: it is made when the other cases are through. */
export const LATE_SETUP = `
CREATE FUNCTION app.as_text(int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'ran app.as_text'; RETURN 'x'; END $$;
CREATE CAST (int AS text) WITH FUNCTION app.as_text(int) AS IMPLICIT;
`;

export const CASES: readonly BeyondCase[] = [
  {
    says: 'a view of the caller writes its table',
    first: ['CREATE TEMP VIEW v AS SELECT * FROM app.plain'],
    sql: 'DELETE FROM v',
    temporary: ['v'],
    proof: 'SELECT count(*) = 0 FROM app.plain',
    demands: ['delete app.plain()'],
  },
  {
    says: 'the same in one text',
    sql: 'CREATE TEMP VIEW v AS SELECT * FROM app.plain; DELETE FROM v',
    proof: 'SELECT count(*) = 0 FROM app.plain',
    demands: ['delete app.plain()'],
  },
  {
    says: 'a view that stays',
    first: ['CREATE VIEW a.v AS SELECT * FROM app.plain'],
    sql: 'SELECT 1',
    demands: ['delete app.plain()'],
  },
  {
    says: 'a row moves to another partition',
    sql: "UPDATE app.parted SET region = 'south'",
    runs: ['app.on_move_trigger', 'app.on_child_trigger'],
  },
  {
    says: 'SET DEFAULT of a foreign key',
    sql: 'DELETE FROM app.master WHERE id = 1',
    runs: ['app.on_default_value', 'app.on_check'],
  },
  {
    says: 'CASCADE of a foreign key',
    sql: 'UPDATE app.master SET id = 5 WHERE id = 1',
    runs: ['app.on_check'],
  },
  {
    says: 'a literal becomes an array of a domain',
    sql: "SELECT coalesce(list, '{5}') || '{6}' FROM app.typed",
    runs: ['app.of_domain'],
  },
  {
    says: 'a literal becomes a row with a domain',
    sql: "SELECT coalesce(pair, '(5,6)') FROM app.typed WHERE id = 1 OR coalesce(pair, '(5,6)') IS NULL",
    runs: ['app.of_domain'],
  },
  {
    says: 'JSON becomes a row with a domain',
    sql: `SELECT jsonb_populate_record(t, '{"list": [7]}') FROM app.typed t`,
    runs: ['app.of_domain'],
  },
  { says: 'an argument becomes a domain', sql: "SELECT app.takes('5')", runs: ['app.of_domain'] },
  {
    says: 'the type of a row by its number',
    sql: "SELECT record_in('(5,6)', 'app.pair'::regtype, -1)",
    opaque: ['execute pg_catalog.record_in [dynamic-sql]'],
    runs: ['app.of_domain'],
  },
  {
    says: 'the type of a domain by its number',
    sql: "SELECT domain_in('5', 'app.small'::regtype, -1) IS NULL",
    opaque: ['execute pg_catalog.domain_in [dynamic-sql]'],
    runs: ['app.of_domain'],
  },
  { says: 'a cast by a dot', sql: "SELECT ('5').small", runs: ['app.of_domain'] },
  { says: 'a range of a domain', sql: "SELECT '[1,2]'::app.smallrange", runs: ['app.of_domain'] },
  {
    says: 'a table that is gone hides no other',
    sql: 'DROP TABLE a.t; CREATE TABLE app.copy AS SELECT * FROM t',
    proof: 'SELECT id = 77 FROM app.copy',
    demands: ['select b.t(id)'],
  },
  {
    says: 'nor does one that is renamed',
    sql: 'ALTER TABLE a.t RENAME TO u; CREATE TABLE app.copy AS SELECT * FROM t',
    proof: 'SELECT id = 77 FROM app.copy',
    demands: ['select b.t(id)'],
  },
  {
    says: 'nor one whose schema is gone',
    sql: 'DROP SCHEMA a CASCADE; CREATE TABLE app.copy AS SELECT * FROM t',
    proof: 'SELECT id = 77 FROM app.copy',
    demands: ['select b.t(id)'],
  },
  {
    says: 'nor a second DROP',
    sql: 'DROP TABLE t; DROP TABLE t',
    proof: "SELECT to_regclass('b.t') IS NULL",
    demands: ['ddl b.t'],
  },
  { says: 'nor a type', sql: 'DROP DOMAIN a.d; SELECT 5::d', runs: ['app.on_shadow'] },
  {
    says: 'a view of the caller becomes one of its owner',
    first: ['ALTER VIEW a.invoker SET (security_invoker = false)'],
    sql: 'SELECT 1',
    demands: ['select secret.keys(id,value)'],
  },
  {
    says: 'or so',
    first: ['ALTER VIEW a.invoker RESET (security_invoker)'],
    sql: 'SELECT 1',
    demands: ['select secret.keys(id,value)'],
  },
  {
    says: 'nor is it hidden by a new name',
    sql: 'ALTER VIEW a.invoker RENAME TO i; CREATE TABLE a.copy AS SELECT value FROM a.i',
    proof: "SELECT value = 'k' FROM a.copy",
    demands: ['select secret.keys(id,value)'],
  },
  {
    says: 'nor by a new schema',
    sql: 'ALTER VIEW a.invoker SET SCHEMA b; CREATE TABLE a.copy AS SELECT value FROM b.invoker',
    proof: "SELECT value = 'k' FROM a.copy",
    demands: ['select secret.keys(id,value)'],
  },
  {
    says: 'a trigger is switched on',
    sql: 'ALTER TABLE a.triggered ENABLE TRIGGER off; INSERT INTO a.triggered VALUES (1)',
    runs: ['app.on_enable_trigger'],
  },
  {
    says: 'all triggers are',
    sql: 'ALTER TABLE a.triggered ENABLE TRIGGER USER; INSERT INTO a.triggered VALUES (1)',
    runs: ['app.on_enable_trigger'],
  },
  {
    says: 'a rule is',
    sql: 'ALTER TABLE a.ruled ENABLE RULE off; INSERT INTO a.ruled VALUES (1)',
    opaque: ['special create-function'],
    runs: ['app.fee'],
  },
  { says: 'an index is made anew', sql: 'REINDEX TABLE a.indexed', runs: ['app.on_index'] },
  { says: 'one index is', sql: 'REINDEX INDEX a.indexed_on_index_idx', runs: ['app.on_index'] },
  { says: 'a table is looked through', sql: 'ANALYZE a.indexed', runs: ['app.on_index'] },
  {
    says: 'a table is written anew',
    sql: 'ALTER TABLE a.indexed ALTER COLUMN note TYPE varchar(9)',
    runs: ['app.on_index'],
  },
  {
    says: 'a column makes a table anew',
    sql: 'ALTER TABLE a.checked ADD COLUMN x text DEFAULT clock_timestamp()::text',
    runs: [],
  },
  {
    says: 'a constraint is looked at',
    sql: 'ALTER TABLE a.checked VALIDATE CONSTRAINT later',
    runs: ['app.on_check'],
  },
  {
    says: 'a part brings its triggers',
    sql: 'ALTER TABLE a.parent ATTACH PARTITION a.kid FOR VALUES IN (1); INSERT INTO a.parent VALUES (1)',
    runs: ['app.on_child_trigger'],
  },
  {
    says: 'a name brings its triggers',
    sql: 'ALTER TABLE a.t RENAME TO u; ALTER TABLE a.kid RENAME TO t; INSERT INTO a.t VALUES (1)',
    runs: ['app.on_child_trigger'],
  },
  {
    says: 'a copy has the defaults',
    first: ['CREATE TEMP TABLE x (LIKE app.defaults INCLUDING ALL)'],
    sql: 'INSERT INTO x DEFAULT VALUES',
    temporary: ['x'],
    runs: ['app.on_default_value', 'app.on_check'],
  },
  {
    says: 'a copy in one text',
    sql: 'CREATE TABLE a.x (LIKE app.defaults INCLUDING DEFAULTS); INSERT INTO a.x DEFAULT VALUES',
    runs: ['app.on_default_value'],
  },
  {
    says: 'a child has the defaults',
    sql: 'CREATE TEMP TABLE x () INHERITS (app.defaults); INSERT INTO x DEFAULT VALUES',
    runs: ['app.on_default_value', 'app.on_check'],
  },
  {
    says: 'a view has no system columns',
    path: 'app',
    sql: 'SELECT v.ctid FROM a.invoker v',
    runs: ['app.ctid'],
  },
  { says: 'DISTINCT compares', sql: 'SELECT DISTINCT p FROM app.points', runs: ['app.point_cmp'] },
  { says: 'ORDER BY compares', sql: 'SELECT p FROM app.points ORDER BY p', runs: ['app.point_cmp'] },
  { says: 'an index that has its own order', sql: 'INSERT INTO a.odd VALUES (3)', runs: ['app.odd_cmp'] },
  {
    says: 'an exclusion by its own operator',
    sql: "CREATE TABLE a.x (p app.point, EXCLUDE USING btree (p WITH app.==)); INSERT INTO a.x VALUES ('(1,1)'), ('(2,2)')",
    runs: ['app.point_cmp'],
  },
];

export const LATE_CASES: readonly BeyondCase[] = [
  { says: 'a cast that nobody wrote', sql: 'SELECT length(5)', runs: ['app.as_text'] },
  { says: 'a cast from a column', sql: 'SELECT length(id) FROM a.even', runs: ['app.as_text'] },
];
