-- A helper as many databases have one: it makes SQL of its argument. Who may call it can put anything there, and no reading of the
-- call tells what it will read. It runs with the rights of its caller, which is why a session needs a role of its own.
CREATE OR REPLACE FUNCTION reporting.row_count(relation text) RETURNS bigint
  LANGUAGE plpgsql STABLE
AS $$
DECLARE
  result bigint;
BEGIN
  EXECUTE 'SELECT count(*) FROM ' || relation INTO result;
  RETURN result;
END
$$;
ALTER FUNCTION reporting.row_count(text) OWNER TO bank_owner;
REVOKE EXECUTE ON FUNCTION reporting.row_count(text) FROM PUBLIC;
