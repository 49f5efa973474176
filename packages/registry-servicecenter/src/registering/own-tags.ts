import type { Logger } from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { messageOf, ServiceCenterError } from '../client/service-center-error.js';

/**
 * Sets the tags of the own service version; those that somebody else set stay. Tags that service-center refuses are reported, and no
 * reason not to be registered.
 * @throws ServiceCenterError when service-center cannot be asked
 */
export async function tellTags(
  center: Pick<ServiceCenter, 'tags' | 'setTags'>,
  serviceId: string,
  own: ReadonlyMap<string, string>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (own.size === 0) return;
  try {
    const present = await center.tags(serviceId, signal);
    if ([...own].every(([name, value]) => present[name] === value)) return;
    await center.setTags(serviceId, { ...present, ...Object.fromEntries(own) }, signal);
  } catch (error) {
    if (!(error instanceof ServiceCenterError) || error.code !== 'SC_REFUSED') throw error;
    logger.warn({}, `service-center does not take servicecomb.service.tags: ${messageOf(error)}`);
  }
}
