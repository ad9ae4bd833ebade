-- What the bank's DBA offers the gateway for the roles that it makes, after `countersign target setup bank --print`. A grant can
-- name more, its role never has more. Nobody can be given DELETE, whatever a configuration says.
BEGIN;
DELETE FROM countersign.grantable;
INSERT INTO countersign.grantable (schema, object, verbs) VALUES
  ('bank', '*', '{select}'),
  ('bank', 'transactions', '{insert}'),
  ('bank', 'customers', '{update}'),
  ('bank', 'accounts', '{update}'),
  ('bank', 'cards', '{update}'),
  ('reporting', '*', '{select}'),
  ('reporting', 'row_count', '{execute}');
SELECT countersign.apply_offers();
COMMIT;

-- Temporary objects shadow others by name; whoever shall make them gets the right from a grant (`countersign target check` asks for this).
DO $$
BEGIN
  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
