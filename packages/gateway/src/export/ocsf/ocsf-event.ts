import { sha256 } from 'countersign-verify';

import type { Provenance, ProvenLeaf } from '../proven-leaf.ts';
import type { KnownCall, KnownSession } from '../session-memory.ts';

/** Version of the Open Cybersecurity Schema Framework (https://schema.ocsf.io/1.8.0/) that events are written in. */
export const OCSF_VERSION = '1.8.0';

/** An event as it is sent. Its classes and attributes are OCSF's; `test/export` holds each against the schema. */
export type OcsfEvent = Readonly<Record<string, unknown>>;

/** A leaf with everything that its event may say. */
export interface EventInput extends ProvenLeaf {
  readonly provenance: Provenance;
  readonly actor: KnownSession;
  readonly call?: KnownCall;
  /** Version of the software that exports. */
  readonly version: string;
}

/** Class, category and activities as OCSF names them. */
export interface OcsfClass {
  readonly uid: number;
  readonly name: string;
  readonly categoryUid: number;
  readonly categoryName: string;
}

export const CLASSES = {
  eventLog: {
    uid: 1008,
    name: 'Event Log Activity',
    categoryUid: 1,
    categoryName: 'System Activity',
  },
  authentication: {
    uid: 3002,
    name: 'Authentication',
    categoryUid: 3,
    categoryName: 'Identity & Access Management',
  },
  authorizeSession: {
    uid: 3003,
    name: 'Authorize Session',
    categoryUid: 3,
    categoryName: 'Identity & Access Management',
  },
  entityManagement: {
    uid: 3004,
    name: 'Entity Management',
    categoryUid: 3,
    categoryName: 'Identity & Access Management',
  },
  applicationLifecycle: {
    uid: 6002,
    name: 'Application Lifecycle',
    categoryUid: 6,
    categoryName: 'Application Activity',
  },
  api: { uid: 6003, name: 'API Activity', categoryUid: 6, categoryName: 'Application Activity' },
  datastore: {
    uid: 6005,
    name: 'Datastore Activity',
    categoryUid: 6,
    categoryName: 'Application Activity',
  },
} as const satisfies Record<string, OcsfClass>;

/** OCSF's number for what it has no number for; the name says it instead. */
export const OTHER = 99;

const SEVERITIES = ['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical'] as const;

export type Severity = 'Informational' | 'Low' | 'Medium' | 'High' | 'Critical';

export interface Activity {
  readonly id: number;
  readonly name: string;
}

export const other = (name: string): Activity => ({ id: OTHER, name });

export interface Status {
  readonly status_id: number;
  readonly status: string;
}

export const SUCCESS: Status = { status_id: 1, status: 'Success' };
export const FAILURE: Status = { status_id: 2, status: 'Failure' };
export const UNKNOWN_STATUS: Status = { status_id: 0, status: 'Unknown' };
export const otherStatus = (status: string): Status => ({ status_id: OTHER, status });

/** What the classes add to the common part. */
export interface Mapping {
  readonly ocsfClass: OcsfClass;
  readonly activity: Activity;
  readonly severity?: Severity;
  /** Attributes of the class. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Links events of one command. */
  readonly correlationUid?: string;
  readonly profiles?: readonly string[];
}

/** Fields that have a place of their own in every event. */
const ENVELOPE = new Set(['v', 'type', 'id', 'at', 'mono', 'journal', 'jseq', 'session', 'seq', 'context']);

/**
 * The event of one leaf. `metadata.uid` identifies it wherever it arrives twice; `raw_data` is the leaf byte for byte, so
 * that the event alone is enough to check an inclusion proof.
 */
export function buildEvent(input: EventInput, mapping: Mapping): OcsfEvent {
  const { leaf, index, bytes, leafHash, provenance } = input;
  const { ocsfClass, activity, severity = 'Informational' } = mapping;
  const rest = Object.fromEntries(Object.entries(leaf).filter(([key]) => !ENVELOPE.has(key)));
  return {
    category_uid: ocsfClass.categoryUid,
    category_name: ocsfClass.categoryName,
    class_uid: ocsfClass.uid,
    class_name: ocsfClass.name,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: ocsfClass.uid * 100 + activity.id,
    type_name: `${ocsfClass.name}: ${activity.id === OTHER ? 'Other' : activity.name}`,
    severity_id: SEVERITIES.indexOf(severity),
    severity,
    time: toMs(leaf.at),
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Countersign', vendor_name: 'Countersign', version: input.version },
      uid: leafUid(input),
      ...(mapping.correlationUid === undefined ? {} : { correlation_uid: mapping.correlationUid }),
      ...(mapping.profiles === undefined ? {} : { profiles: mapping.profiles }),
      event_code: leaf.type,
      log_name: provenance.origin,
      log_provider: 'Countersign',
      log_version: String(leaf.v),
      sequence: index,
      original_time: String(leaf.at),
    },
    ...mapping.attributes,
    raw_data: bytes.toString('utf8'),
    raw_data_hash: { algorithm: 'SHA-256', algorithm_id: 3, value: sha256(bytes).toString('hex') },
    unmapped: {
      countersign: {
        origin: provenance.origin,
        index,
        tree_size: provenance.treeSize,
        leaf_hash: leafHash.toString('base64'),
        witnessed: provenance.isWitnessed,
        unwitnessed_seconds: provenance.unwitnessedSeconds,
        journal: leaf.journal,
        jseq: leaf.jseq,
      },
      leaf: rest,
    },
  };
}

/** The leaf's own id; that of a result, which has none, is its call's with `.result` behind. */
export function leafUid({ leaf, index }: Pick<ProvenLeaf, 'leaf' | 'index'>): string {
  const { id, call } = leaf as { readonly id?: unknown; readonly call?: unknown };
  if (typeof id === 'string') return id;
  return typeof call === 'string' ? `${call}.result` : `${leaf.journal}.${leaf.jseq}.${index}`;
}

/** OCSF's `timestamp_t` is in ms. */
export function toMs(us: number): number {
  return Math.floor(us / 1_000);
}
