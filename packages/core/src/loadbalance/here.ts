import type { MeshDocument } from '../config/document.js';
import { PLATFORM_SECTIONS } from '../config/sections/platform.js';
import { placeOf, type Place } from './place.js';

/** Where this process runs: what others are told of its own instance. */
export function hereOf(document: MeshDocument): Place {
  return placeOf(ownMetadata(document));
}

/** Metadata by which others know where the own instance runs: what `region` says, and all properties, which win. */
export function ownMetadata(document: MeshDocument): Readonly<Record<string, string>> {
  const { name, availableZone } = document.section('region', PLATFORM_SECTIONS.region);
  return {
    ...(name === undefined ? {} : { region: name }),
    ...(availableZone === undefined ? {} : { zone: availableZone }),
    ...Object.fromEntries(document.service.instanceProperties),
  };
}
