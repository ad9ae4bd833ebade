import type { Secrets } from '../../config/config.ts';
import type { ExportConfig } from '../../config/export-section.ts';
import { FileSink } from './file-sink.ts';
import { HttpSink } from './http-sink.ts';
import type { Sink } from './sink.ts';
import { SyslogSink } from './syslog-sink.ts';

export interface SinkContext {
  readonly node: string;
  readonly version: string;
  readonly secrets: Secrets;
}

export function createSink(config: ExportConfig, context: SinkContext): Sink {
  const { node, version, secrets } = context;
  switch (config.kind) {
    case 'file':
      return new FileSink(config);
    case 'syslog':
      return new SyslogSink(
        { ...config, identity: { facility: config.facility, hostname: node, version } },
        secrets,
      );
    default:
      return new HttpSink({ ...config, version }, secrets);
  }
}
