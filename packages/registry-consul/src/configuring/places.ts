import type { PluginContext } from '@mesher/core';
import { ConsulError } from '../client/consul-error.js';

type Service = NonNullable<PluginContext['configClient']>['service'];

/** A part of Consul's keys that holds configuration. */
export interface Place {
  /** A key that is one whole YAML text, or all keys below a prefix. */
  readonly kind: 'document' | 'prefix';
  /** A prefix ends with a slash. */
  readonly key: string;
}

const DOCUMENT = /\.ya?ml$/;
const PLACEHOLDER = /\{([^{}]*)\}/g;

/** True for the name of a key that holds a whole YAML text. */
export function isDocument(key: string): boolean {
  return DOCUMENT.test(key);
}

/**
 * The places of one service, from low to high. A place with a placeholder of which the value is empty is left out.
 * @throws ConsulError CONSUL_SETTING for a placeholder that there is not, when no place is left, and for one within another
 */
export function placesFor(templates: readonly string[], service: Service): readonly Place[] {
  const values: Readonly<Record<string, string>> = {
    app: service.app,
    service: service.name,
    version: service.version,
    environment: service.environment,
  };
  const places = templates.flatMap((template): Place[] => {
    const names = [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
    const unknown = names.find((name) => !Object.hasOwn(values, name));
    if (unknown !== undefined) {
      throw refused(
        `'${template}' has a placeholder {${unknown}}; there is {app}, {service}, {version}, {environment}`,
      );
    }
    if (names.some((name) => values[name] === '')) return [];
    const key = template.replace(PLACEHOLDER, (_, name: string) => values[name] ?? '').replace(/^\/+/, '');
    if (isDocument(key)) return [{ kind: 'document', key }];
    if (key === '' || key === '/') throw refused(`'${template}' would be all keys of Consul; name a prefix`);
    return [{ kind: 'prefix', key: key.endsWith('/') ? key : `${key}/` }];
  });
  for (const outer of places.filter(({ kind }) => kind === 'prefix')) {
    const inner = places.find((place) => place !== outer && place.key.startsWith(outer.key));
    // Its keys would be read twice, and with two meanings.
    if (inner !== undefined) throw refused(`'${inner.key}' lies within '${outer.key}'`);
  }
  if (places.length === 0) throw refused('names no place for this service');
  return places;
}

function refused(problem: string): ConsulError {
  return new ConsulError('CONSUL_SETTING', `plugin.settings.consul.places: ${problem}`);
}
