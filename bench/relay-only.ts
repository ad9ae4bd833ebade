/** The stage "relay only": the whole gateway, with a recorder that records nothing (`ack-recorder.ts`). */

import { startVariant } from '../test/support/gateway-variant.ts';
import { AckRecorder } from './ack-recorder.ts';

await startVariant(async () => new AckRecorder());
