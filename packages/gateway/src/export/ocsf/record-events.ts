import {
  CLASSES,
  other,
  SUCCESS,
  type Activity,
  type EventInput,
  type Mapping,
  type Severity,
} from './ocsf-event.ts';
import { present, stringIn } from './subjects.ts';

/** The record about itself: Event Log Activity (1008), Application Lifecycle (6002), API Activity (6003). */

interface LogActivity {
  readonly activity: Activity;
  readonly severity?: Severity;
  readonly message: string;
  readonly isAlert?: boolean;
}

/** Anything that is not listed here or elsewhere is an activity by its own name. */
const LOG_ACTIVITIES: Readonly<Record<string, LogActivity>> = {
  'log.genesis': { activity: { id: 6, name: 'Start' }, message: 'The log begins.' },
  heartbeat: { activity: other('Heartbeat'), message: 'The recorder is alive; counts since the one before.' },
  context: { activity: other('Context'), message: 'What later leaves of a session have in common.' },
  'gap.declared': {
    activity: other('Gap'),
    severity: 'Medium',
    message: 'The recorder declares what happened to its journal.',
  },
  'recorder.degraded': {
    activity: other('Degraded'),
    severity: 'High',
    message: 'The record cannot be written as it should.',
  },
  'recorder.restored': { activity: other('Restored'), message: 'The record can be written again.' },
  'log.read': { activity: other('Read'), severity: 'Low', message: 'Sealed contents were read.' },
  'catalog.loaded': { activity: other('Catalog'), message: 'The catalog of a database was read.' },
  'role.created': {
    activity: other('Role'),
    message: 'A role of a scope was made or refreshed in a target.',
  },
  'role.ended': { activity: other('Role'), message: 'A role of a scope was ended in a target.' },
  'role.swept': {
    activity: other('Role'),
    severity: 'Low',
    message: 'A role that a run before left in a target was ended.',
  },
  'checkpoint.witnessed': { activity: other('Witness'), message: 'Witnesses signed a checkpoint.' },
  'checkpoint.timestamped': {
    activity: other('Time stamp'),
    message: 'A time-stamping authority signed a checkpoint.',
  },
  'erasure.executed': {
    activity: { id: 2, name: 'Delete' },
    severity: 'Medium',
    message: 'Sealed contents were erased as scheduled or ordered.',
  },
  'backup.created': { activity: { id: 4, name: 'Archive' }, message: 'A backup was made.' },
  alert: {
    activity: other('Alert'),
    severity: 'High',
    message: 'The gateway raised an alert.',
    isAlert: true,
  },
};

export function mapLogActivity(input: EventInput): Mapping {
  const { leaf, provenance } = input;
  const known = LOG_ACTIVITIES[leaf.type] ?? {
    activity: other(leaf.type),
    message: 'A leaf that this version names by its type only.',
  };
  const reader = stringIn(leaf, 'reader');
  return {
    ocsfClass: CLASSES.eventLog,
    activity: known.activity,
    severity: severityOf(input, known.severity),
    attributes: {
      log_name: provenance.origin,
      log_provider: 'Countersign',
      log_type_id: 2,
      log_type: 'Application',
      ...SUCCESS,
      ...present({
        status_detail: stringIn(leaf, 'code') ?? stringIn(leaf, 'cause'),
        is_alert: known.isAlert,
        actor: reader === undefined ? undefined : { user: { uid: reader } },
      }),
      message: known.message,
    },
    // `is_alert` belongs to that profile.
    ...(known.isAlert === true ? { profiles: ['security_control'] } : {}),
  };
}

/** Leaves that are lost for good are worse than a segment that was written again. */
function severityOf({ leaf }: EventInput, severity: Severity = 'Informational'): Severity {
  return leaf.type === 'gap.declared' && leaf['cause'] === 'corruption' ? 'Critical' : severity;
}

export function mapLifecycle(input: EventInput): Mapping {
  const { leaf } = input;
  const started = leaf.type === 'software.started';
  const crashed = started && leaf['previous'] === 'crashed';
  return {
    ocsfClass: CLASSES.applicationLifecycle,
    activity: started ? { id: 3, name: 'Start' } : { id: 4, name: 'Stop' },
    severity: crashed ? 'Medium' : 'Informational',
    attributes: {
      app: {
        name: 'Countersign',
        vendor_name: 'Countersign',
        ...present({ version: stringIn(leaf, 'version'), uid: stringIn(leaf, 'node') }),
      },
      ...SUCCESS,
      ...present({ status_detail: stringIn(leaf, started ? 'previous' : 'reason') }),
      message: started ? 'The gateway started.' : 'The gateway stopped.',
    },
  };
}

export function mapConfiguration(input: EventInput): Mapping {
  return inForce(input, 'config', 'configuration', 'A configuration came into force.');
}

export function mapPolicies(input: EventInput): Mapping {
  return inForce(input, 'policies', 'policies', 'A set of policies came into force.');
}

function inForce({ leaf }: EventInput, field: string, type: string, message: string): Mapping {
  return {
    ocsfClass: CLASSES.api,
    activity: { id: 3, name: 'Update' },
    severity: 'Low',
    attributes: {
      api: { operation: stringIn(leaf, 'cause') ?? 'reload', service: { name: 'countersign' } },
      // A signal or a start has no sender that the gateway could know.
      actor: { app_name: 'countersign' },
      src_endpoint: { svc_name: 'countersign' },
      resources: [{ uid: stringIn(leaf, field) ?? 'unknown', type }],
      ...SUCCESS,
      message,
    },
  };
}
