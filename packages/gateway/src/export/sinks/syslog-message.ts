import type { OutgoingEvent } from './sink.ts';

/** Syslog severities by OCSF's `severity_id` 0 to 6: Unknown, Informational, Low, Medium, High, Critical, Fatal. */
const SEVERITIES = [6, 6, 5, 4, 3, 2, 1] as const;

export interface SyslogIdentity {
  /** 0 to 23; 13 is "log audit". */
  readonly facility: number;
  /** HOSTNAME: the node's name in the record. */
  readonly hostname: string;
  readonly version: string;
}

/** `sequenceId` wraps at 2^31 - 1 and has no 0 (RFC 5424 section 7.3.1). */
const MAX_SEQUENCE_ID = 2_147_483_647;

/**
 * An event as an RFC 5424 message. The JSON document is the MSG, as it is: without a byte order mark, which parsers of JSON
 * stumble over (so MSG is MSG-ANY). MSGID is the type of the leaf.
 */
export function formatSyslogMessage(event: OutgoingEvent, identity: SyslogIdentity): Buffer {
  const priority = identity.facility * 8 + (SEVERITIES[event.severityId] ?? 6);
  const sequenceId = (event.index % MAX_SEQUENCE_ID) + 1;
  const header = `<${priority}>1 ${formatTime(event.atUs)} ${printable(identity.hostname, 255)} countersign - ${printable(event.type, 32)} `;
  const data = `[meta sequenceId="${sequenceId}"][origin software="countersign" swVersion="${identity.version}"] `;
  return Buffer.concat([Buffer.from(header + data), event.json]);
}

/** Octet counting (RFC 5425 section 4.3, RFC 6587 section 3.4.1). */
export function frameSyslogMessage(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** With µs, as RFC 5424 permits at most. */
function formatTime(atUs: number): string {
  const seconds = new Date(Math.floor(atUs / 1_000_000) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${String(atUs % 1_000_000).padStart(6, '0')}Z`;
}

/** PRINTUSASCII, and `-` for nothing. */
function printable(text: string, limit: number): string {
  const clean = text.replaceAll(/[^\u0021-\u007e]/g, '_').slice(0, limit);
  return clean === '' ? '-' : clean;
}
