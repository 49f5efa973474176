import type { MeshDocument } from '../config/document.js';

/** Who this service is, as rules about the calling service see it. */
export interface OwnIdentity {
  readonly service: string;
  readonly app: string;
  readonly version: string;
  /** Value of a tag: `version`, `app`, or a property of this instance. */
  tag(name: string): string | undefined;
}

/** The local service as microservice.yaml describes it. */
export function ownIdentity({ service }: MeshDocument): OwnIdentity {
  const { name, app, version, environment, instanceProperties } = service;
  const tags = new Map<string, string>(instanceProperties);
  if (environment !== undefined && !tags.has('environment')) tags.set('environment', environment);
  tags.set('app', app).set('version', version);
  return { service: name, app, version, tag: (key) => tags.get(key) };
}
