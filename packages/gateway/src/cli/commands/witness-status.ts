import type { Command } from 'commander';
import { cosignatureVerifierOf, formatVerifierKey } from 'countersign-verify';

import { createSecrets } from '../../config/secrets.ts';
import { realFileLayer } from '../../record/journal/file-layer.ts';
import { EVIDENCE_KINDS, EvidenceFiles } from '../../witness/evidence.ts';
import type { EvidenceKind } from '../../witness/evidence.ts';
import type { WitnessConfig } from '../../witness/witness-config.ts';
import { loadCosigners } from '../../witness/witness-key.ts';
import { originHash, WitnessStore } from '../../witness/witness-store.ts';
import type { Known } from '../../witness/witness-store.ts';
import { addJsonOption } from '../common-options.ts';
import { createOutput } from '../output.ts';
import { addWitnessPlace, witnessConfigOf } from './witness-place.ts';
import type { WitnessPlaceOptions } from './witness-place.ts';

export function addWitnessStatusCommand(witness: Command): void {
  const command = addWitnessPlace(witness.command('status'))
    .summary('what the witness knows and what it holds against whom')
    .description(
      'Reads the memory of a witness, running or not, checks it, and tells the newest cosigned checkpoint and the evidence of each log.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign witness status /etc/countersign-witness
  countersign witness status --json | jq '.logs[] | select(.evidence.fork > 0)'`,
    )
    .action(async (directory: string, options: WitnessPlaceOptions) => {
      await status(directory, options);
    });
  addJsonOption(command);
}

async function status(directory: string, options: WitnessPlaceOptions): Promise<void> {
  const config = witnessConfigOf(directory, options);
  const cosigners = await loadCosigners(config.keys, createSecrets());
  const ownKeys = cosigners.map(cosignatureVerifierOf);
  const store = WitnessStore.open(realFileLayer, config.stateDirectory, ownKeys);
  const evidence = new EvidenceFiles(realFileLayer, config.stateDirectory);
  const origins = new Set(config.logs.map(({ origin }) => origin));
  for (const { checkpoint } of store.all()) origins.add(checkpoint.origin);
  const logs = [...origins].map((origin) => describeLog(origin, config, store.get(origin), evidence));
  const keys = cosigners.map((cosigner) => formatVerifierKey(cosigner, cosigner.algorithm));
  createOutput(options.json ?? false).result({ keys, logs }, () => {
    const lines = keys.map((key) => `key: ${key}`);
    for (const log of logs) {
      lines.push(`${log.origin}${log.configured ? '' : ' (no longer configured)'}`);
      if (log.size === undefined) lines.push('  nothing cosigned yet');
      else lines.push(`  ${log.size} leaves, root ${log.root}`, `  cosigned at ${log.cosignedAt}`);
      const held = EVIDENCE_KINDS.filter((kind) => log.evidence[kind] > 0);
      for (const kind of held)
        lines.push(`  EVIDENCE ${kind}: ${log.evidence[kind]} in state/evidence/${log.hash}`);
    }
    if (logs.length === 0) lines.push('no logs are configured');
    return lines.join('\n');
  });
}

interface LogStatus {
  readonly origin: string;
  readonly hash: string;
  readonly configured: boolean;
  /** Of the newest cosigned checkpoint; absent when there is none. */
  readonly size?: number;
  readonly root?: string;
  readonly cosignedAt?: string;
  readonly evidence: Readonly<Record<EvidenceKind, number>>;
}

function describeLog(
  origin: string,
  config: WitnessConfig,
  known: Known | undefined,
  evidence: EvidenceFiles,
): LogStatus {
  return {
    origin,
    hash: originHash(origin),
    configured: config.logs.some((log) => log.origin === origin),
    ...(known !== undefined && {
      size: known.checkpoint.size,
      root: known.checkpoint.root.toString('base64'),
      cosignedAt: new Date(known.cosignedAt * 1000).toISOString(),
    }),
    evidence: evidence.counts(origin),
  };
}
