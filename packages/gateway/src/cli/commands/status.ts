import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import type { GatewayStatus } from '../../gateway/gateway.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, formatTable } from '../output.ts';

export function addStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .summary('what the running gateway says of itself')
    .description('Asks the running gateway through its control socket.')
    .addHelpText(
      'after',
      `
Examples:
  countersign status
  countersign status --json | jq .ready`,
    )
    .action(async (options: CommonOptions) => {
      const client = new ControlClient(configOf(options).stateDirectory);
      const status = await client.get<GatewayStatus>('/v1/status');
      createOutput(options.json ?? false).result(status, () =>
        formatTable([
          ['ready', status.ready ? 'yes' : `no: ${status.reason ?? 'unknown'}`],
          [
            'node',
            `${status.node} (version ${status.version}, pid ${status.pid}, since ${status.startedAt})`,
          ],
          ['clients', status.listen.postgres],
          ['health', status.listen.health ?? 'not configured'],
          ['sessions', `${status.sessions} open, ${status.commands} commands since the start`],
          [
            'log',
            `${status.log.origin}, ${status.log.size} leaves, checkpoint ${Math.round(status.log.checkpointAgeMs)} ms old`,
          ],
          ...status.exports.map((one) => [
            'export',
            `${one.name}: ${one.state}${one.isStalled ? ', STALLED' : ''}, ${one.lagLeaves} leaves behind${one.reason === undefined ? '' : ` (${one.reason})`}`,
          ]),
          ['unwitnessed', windowText(status)],
          ...status.witness.witnesses.map((witness) => [
            'witness',
            `${witness.name} (${witness.organisation}${witness.isOwn ? '; own, not counted' : ''}): ${witness.size} leaves cosigned${witness.trouble === undefined ? '' : `; no answer that counts: ${witness.trouble}`}`,
          ]),
          [
            'masking',
            status.masking === undefined
              ? 'not configured: nothing is masked'
              : `rules ${status.masking.rules}`,
          ],
          ...(status.masking?.databases ?? []).flatMap(classRows),
          ['configuration', `${status.config.file} (${status.config.digest})`],
        ]),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

type Databases = NonNullable<GatewayStatus['masking']>['databases'];

function classRows({ target, database, columns, relations, warnings }: Databases[number]): string[][] {
  const found = ['classes', `${target}/${database}: ${columns} columns of ${relations} relations`];
  return [found, ...warnings.map((warning) => ['', `WARNING: ${warning}`])];
}

function windowText({ witness }: GatewayStatus): string {
  const { leaves, seconds, witnessedSize } = witness.window;
  const text = `${leaves} leaves, ${seconds} s; ${witnessedSize} leaves are witnessed`;
  if (witness.quorum === 0) return `${leaves} leaves, ${seconds} s: no witness is configured`;
  return witness.alarm === undefined ? text : `${text}; ALARM: ${witness.alarm}`;
}
