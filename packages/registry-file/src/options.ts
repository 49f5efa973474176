import { formatBytes, formatDuration, MeshError, s } from '@mesher/core';

/** What every setting means, what applies when it is left out, and why. */
const SETTINGS = {
  pollIntervalMs: {
    default: 1_000,
    ...{ min: 10, max: 3_600_000 },
    doc: 'Time between two looks at the directory when no event asks for one.',
    reason:
      'where events work it bounds the harm of a lost one; where they do not (NFS, some container mounts) it is the delay of every ' +
      'change; a look costs about 20 us of CPU per hand-written file and per service with registrations',
  },
  debounceMs: {
    default: 50,
    ...{ min: 0, max: 60_000 },
    doc: 'Time between an event and the look at the directory that it causes.',
    reason: 'a writer can finish after its first event, and nobody notices the delay',
  },
  confirmEmptyMs: {
    default: 1_000,
    ...{ min: 0, max: 600_000 },
    doc: 'How long a file must stay empty or away before its addresses are dropped.',
    reason:
      '`generate > disco/world` empties the file at once and fills it when `generate` has run; waiting costs little: calls to a ' +
      'service that is really gone fail to connect for a second longer',
  },
  leaseMs: {
    default: 15_000,
    ...{ min: 100, max: 3_600_000 },
    doc: 'How long a registration is believed without a sign of life, which is given three times per lease.',
    reason: 'two of three beats may be lost or late, and the instance of a killed process is gone after 15 s',
  },
  maxFiles: {
    default: 5_000,
    ...{ min: 1, max: 1_000_000 },
    doc: 'Most hand-written files and folders that are looked at; the rest is left out and reported.',
    reason: 'a look at as many takes a tenth of a core; more is likely to be the wrong directory',
  },
  maxFileBytes: {
    default: 500 * 1024,
    ...{ min: 1, max: 100 * 1024 * 1024 },
    doc: 'Largest hand-written file; a larger one is reported, and its last good state stays in use.',
    reason: 'the limit that Linkerd 1 users know: some 20,000 addresses',
  },
  maxInstances: {
    default: 20_000,
    ...{ min: 1, max: 1_000_000 },
    doc: 'Most registered instances that are read; the rest is left out and reported.',
    reason: 'each takes about 3 KB of memory; 10,000 of them, all beating, take 3 to 4 % of a core',
  },
} as const;

type SettingName = keyof typeof SETTINGS;

/** All settings with their values. */
export type FileRegistrySettings = { readonly [K in SettingName]: number };

/** Settings of the file registry; all are optional, see {@link FILE_REGISTRY_DEFAULTS}. */
export type FileRegistryOptions = { readonly [K in SettingName]?: number | undefined } & {
  /**
   * The root directory (`servicecomb.registry.address`). A relative path starts at the folder of the configuration files.
   * Default: a directory that all sidecars of this user on this machine share, see `defaultRoot`.
   */
  readonly address?: string | undefined;
};

/** Milliseconds, bytes and counts that apply where a setting is left out. */
export const FILE_REGISTRY_DEFAULTS: FileRegistrySettings = {
  pollIntervalMs: SETTINGS.pollIntervalMs.default,
  debounceMs: SETTINGS.debounceMs.default,
  confirmEmptyMs: SETTINGS.confirmEmptyMs.default,
  leaseMs: SETTINGS.leaseMs.default,
  maxFiles: SETTINGS.maxFiles.default,
  maxFileBytes: SETTINGS.maxFileBytes.default,
  maxInstances: SETTINGS.maxInstances.default,
};

/** How the settings are written in `servicecomb.registry.file`; the directory is `servicecomb.registry.address`. */
export const fileRegistrySchema = s.object(
  {
    pollInterval: duration('pollIntervalMs'),
    debounce: duration('debounceMs'),
    confirmEmpty: duration('confirmEmptyMs'),
    lease: duration('leaseMs'),
    maxFiles: s.integer(SETTINGS.maxFiles),
    maxFileBytes: s.bytes({
      ...SETTINGS.maxFileBytes,
      default: formatBytes(SETTINGS.maxFileBytes.default),
      min: formatBytes(SETTINGS.maxFileBytes.min),
      max: formatBytes(SETTINGS.maxFileBytes.max),
    }),
    maxInstances: s.integer(SETTINGS.maxInstances),
  },
  { doc: 'The registry that is a directory and needs no server.' },
);

/** Milliseconds between two signs of life: a third of the lease, so that two may fail. */
export function beatIntervalMs(leaseMs: number): number {
  return leaseMs / 3;
}

/**
 * Fills in the defaults.
 * @throws MeshError `FILE_REGISTRY_SETTING` when a value is out of bounds
 */
export function fileRegistrySettings(options: FileRegistryOptions): FileRegistrySettings {
  const settings: Record<SettingName, number> = { ...FILE_REGISTRY_DEFAULTS };
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const value = options[name];
    if (value === undefined) continue;
    const { min, max } = SETTINGS[name];
    if (!(value >= min && value <= max)) {
      throw new MeshError('FILE_REGISTRY_SETTING', `file registry: ${name} must be ${min}..${max}, not ${value}`);
    }
    settings[name] = value;
  }
  return settings;
}

function duration(name: 'pollIntervalMs' | 'debounceMs' | 'confirmEmptyMs' | 'leaseMs') {
  const { default: fallback, min, max, doc, reason } = SETTINGS[name];
  return s.duration({
    doc,
    reason,
    default: formatDuration(fallback),
    min: formatDuration(min),
    max: formatDuration(max),
  });
}
