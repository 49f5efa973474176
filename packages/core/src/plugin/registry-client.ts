import type { CoreSection, MeshDocument } from '../config/document.js';
import { credentialsSchema, PLATFORM_SECTIONS, sslSchema } from '../config/sections/platform.js';
import type { RegistryConfig } from '../config/sections/registry.js';

/** What the configuration says about the registry, and who asks it; for registries with a server. */
export interface RegistryClient {
  /** `servicecomb.registry`. */
  readonly registry: RegistryConfig;
  /** `servicecomb.service`: who registers and asks. */
  readonly service: CoreSection<'servicecomb.service'> & { readonly name: string };
  /** `region`: where this process runs. */
  readonly region: CoreSection<'region'>;
  /** `servicecomb.credentials`: how to log in. */
  readonly credentials: CoreSection<'servicecomb.credentials'>;
  /** `ssl`: what stands for everybody, and the tags. */
  readonly ssl: CoreSection<'ssl'>;
}

/** Reads it from a document. */
export function registryClientOf(document: MeshDocument): RegistryClient {
  return {
    registry: document.registry,
    service: document.service,
    region: document.section('region', PLATFORM_SECTIONS.region),
    credentials: document.section('servicecomb.credentials', credentialsSchema),
    ssl: document.section('ssl', sslSchema),
  };
}
