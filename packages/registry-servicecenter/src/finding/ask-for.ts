import type { FindItem, FindResult } from '../client/answers.js';
import { SC_CODE } from '../client/error-codes.js';
import type { ServiceCenter } from '../client/service-center.js';
import { errorCodeOf } from '../client/service-center-error.js';

/** What service-center takes for the name of a service and of an application; anything else it refuses to look for. */
const NAME = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/;
const MAX_NAME_LENGTH = 128;
const MAX_APP_LENGTH = 160;
/** When more items than this are refused, it is not their names that are wrong. */
const MAX_BLAMED = 4;

/** Under such a name nothing can be registered. It says whose name, so that nobody takes it for the one that asks. */
const NO_NAME: FindResult = {
  kind: 'failed',
  errorCode: SC_CODE.serviceNotExist,
  detail: 'the name of the provider is none that service-center takes',
};

/**
 * Asks for several services at once; the results stand in the order of the items. Callers make up names, in `Host` fields for example:
 * one that cannot exist is not asked for, and one that service-center refuses all the same does not keep the others from their answer.
 * @throws ServiceCenterError when service-center cannot be asked, or refuses for another reason: the own environment, for example
 */
export async function askFor(
  items: readonly FindItem[],
  consumerId: string | undefined,
  center: Pick<ServiceCenter, 'find'>,
  signal: AbortSignal,
): Promise<readonly FindResult[]> {
  const named = items.filter(canExist);
  const found = named.length === 0 ? [] : await askInParts(named, consumerId, center, signal, { left: MAX_BLAMED });
  const results = new Map(named.map((item, index) => [item, found[index]]));
  return items.map((item) => results.get(item) ?? NO_NAME);
}

/** Halves what is refused as a whole until the one that is to blame stands alone. */
async function askInParts(
  items: readonly FindItem[],
  consumerId: string | undefined,
  center: Pick<ServiceCenter, 'find'>,
  signal: AbortSignal,
  blame: { left: number },
): Promise<readonly FindResult[]> {
  try {
    return await center.find(items, consumerId, signal);
  } catch (error) {
    if (errorCodeOf(error) !== SC_CODE.invalidParameters || blame.left === 0) throw error;
    if (items.length === 1) {
      blame.left--;
      return [{ kind: 'failed', errorCode: SC_CODE.invalidParameters, detail: 'the question is refused' }];
    }
    const middle = items.length >> 1;
    const first = await askInParts(items.slice(0, middle), consumerId, center, signal, blame);
    return [...first, ...(await askInParts(items.slice(middle), consumerId, center, signal, blame))];
  }
}

function canExist({ serviceName, appId }: FindItem): boolean {
  return isName(serviceName, MAX_NAME_LENGTH) && isName(appId, MAX_APP_LENGTH);
}

function isName(text: string, max: number): boolean {
  return text.length <= max && NAME.test(text);
}
