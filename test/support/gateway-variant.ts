/**
 * A gateway with another recorder than the product's, started like `serve -c <file>`: for the deliberately broken build
 * of the kill tests and for the stages of the benchmark. The product itself has no way to choose a recorder.
 */

import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import { startGateway } from '../../packages/gateway/src/gateway/gateway.ts';
import type { GatewayOptions } from '../../packages/gateway/src/gateway/gateway.ts';

export async function startVariant(openRecord: NonNullable<GatewayOptions['openRecord']>): Promise<void> {
  const file = process.argv[process.argv.indexOf('-c') + 1];
  if (file === undefined) throw new Error('usage: <program> serve -c <file>');
  const { config } = readConfig(file);
  const gateway = await startGateway(config, { openRecord });
  process.once('SIGTERM', () => void gateway.close());
}
