/** Where an instance runs. */
export interface Place {
  readonly region: string | undefined;
  readonly zone: string | undefined;
}

/** What registries and people call the region and the zone in the metadata of an instance; the first one found counts. */
const REGION_KEYS = ['region', 'topology.kubernetes.io/region'] as const;
const ZONE_KEYS = ['zone', 'availableZone', 'availabilityZone', 'topology.kubernetes.io/zone'] as const;

export function placeOf(metadata: Readonly<Record<string, string>>): Place {
  return { region: first(metadata, REGION_KEYS), zone: first(metadata, ZONE_KEYS) };
}

function first(metadata: Readonly<Record<string, string>>, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = metadata[key];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}
