import { createDetectors } from '../../masking/detectors/detectors.ts';
import type { MaskingRules, Transform } from '../../masking/rules.ts';
import type { Detection } from '../mask/values/detect-value.ts';

const REDACT: Transform = { kind: 'redact' };

const detections = new WeakMap<MaskingRules, Detection>();

/** Detectors, and what the rules do to what they find. One for all sessions: its tables are large. */
export function detectionBy(rules: MaskingRules): Detection {
  let detection = detections.get(rules);
  if (detection === undefined) {
    const detectors = createDetectors();
    detection = {
      find: (text) => detectors.find(text),
      findInBytes: (utf8) => detectors.findInBytes(utf8),
      transformOf: (name) => rules.classes.get(name)?.transform ?? REDACT,
    };
    detections.set(rules, detection);
  }
  return detection;
}
