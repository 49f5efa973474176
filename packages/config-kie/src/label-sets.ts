import type { ConfigClient } from '@mesher/core';
import { KieError } from './kie-error.js';

/** Labels that a value in Kie must have, exactly these and no others. */
export type LabelSet = Readonly<Record<string, string>>;

/**
 * The label sets that are asked for, from low to high: what the application says, then what the service says, then (when wanted)
 * what its version says. As go-archaius, which sends `environment` even when it is empty.
 * @throws KieError KIE_SETTING for a value with a colon, which no question to Kie can contain
 */
export function labelSets(service: ConfigClient['service'], byVersion: boolean): LabelSet[] {
  for (const [label, value] of Object.entries(service)) {
    if (!value.includes(':') || (label === 'version' && !byVersion)) continue;
    const message = `servicecomb.service.${label} is '${value}': Kie takes no label with a colon; choose another ${label}`;
    throw new KieError('KIE_SETTING', message);
  }
  const ofApp: LabelSet = { app: service.app, environment: service.environment };
  const ofService: LabelSet = { ...ofApp, service: service.name };
  return byVersion ? [ofApp, ofService, { ...ofService, version: service.version }] : [ofApp, ofService];
}
