/** The database under the kill loop. Every effect reports itself to the server's log, which no rollback undoes. */

import { EFFECT_PREFIX } from './target-log.ts';

export const SCHEMA = `
create table kill_work (id bigint generated always as identity primary key, marker text not null);
create table side_effects (marker text not null, pid integer not null default pg_backend_pid());

create function kill_effect(marker text) returns text language plpgsql volatile as $$
begin
  raise log '${EFFECT_PREFIX}%', marker;
  insert into side_effects (marker) values (marker);
  return marker;
end $$;

-- Declared immutable although it is not: the planner runs it while it plans, so Parse and Bind alone have an effect.
create function kill_fold(marker text) returns text language plpgsql immutable as $$
begin
  raise log '${EFFECT_PREFIX}%', marker;
  return marker;
end $$;

create function kill_trigger() returns trigger language plpgsql as $$
begin
  perform kill_effect(new.marker);
  return new;
end $$;
create trigger kill_after_insert after insert on kill_work for each row execute function kill_trigger();
`;
