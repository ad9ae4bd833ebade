import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Roles that were made in targets, one per scope, over all targets. */
export interface RoleMetricFigures {
  readonly roles: number;
  readonly leases: number;
  readonly created: number;
  readonly ended: number;
  readonly swept: number;
  readonly failures: number;
  readonly leftovers: number;
}

const NONE: RoleMetricFigures = {
  roles: 0,
  leases: 0,
  created: 0,
  ended: 0,
  swept: 0,
  failures: 0,
  leftovers: 0,
};

/** Read when scraped. */
export function addRoleMetrics(registry: Registry, source: (() => RoleMetricFigures) | undefined): void {
  const read = source ?? (() => NONE);
  const registers = [registry];
  const gauge = (name: string, help: string, value: (figures: RoleMetricFigures) => number): void => {
    const metric: Gauge = new Gauge({
      name: `countersign_target_roles${name}`,
      help,
      registers,
      collect: () => metric.set(value(read())),
    });
  };
  const counter = (name: string, help: string, value: (figures: RoleMetricFigures) => number): void => {
    const metric: Counter = new Counter({
      name: `countersign_target_roles_${name}_total`,
      help,
      registers,
      collect: () => {
        metric.reset();
        metric.inc(value(read()));
      },
    });
  };
  gauge('', 'Roles in targets that sessions use or that wait for the next one.', ({ roles }) => roles);
  gauge('_sessions', 'Sessions that run as such a role.', ({ leases }) => leases);
  counter('created', 'Roles that were made.', ({ created }) => created);
  counter('ended', 'Roles that were dropped when nobody needed them.', ({ ended }) => ended);
  counter('swept', 'Roles of a run before that were dropped.', ({ swept }) => swept);
  counter('failures', 'Changes of roles that the target did not make.', ({ failures }) => failures);
  counter(
    'leftovers',
    'Sessions, objects and dependencies that kept a role from being dropped.',
    ({ leftovers }) => leftovers,
  );
}
