import { ServiceCenterError } from './service-center-error.js';
import { excerptOf, itemsOf, membersOf, textOf } from './wire-model.js';

/** What is asked for in a batch: one service of one application. */
export interface FindItem {
  readonly appId: string;
  readonly serviceName: string;
  readonly environment: string;
  /** Of the last answer; undefined for all there is. */
  readonly revision: string | undefined;
}

/** What a batch says about one item of it. */
export type FindResult =
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'updated'; readonly revision: string | undefined; readonly instances: readonly unknown[] }
  /** The service is not known; or the one that asks is not: `detail` tells them apart, on some servers. */
  | { readonly kind: 'failed'; readonly errorCode: number | undefined; readonly detail: string };

/** Longest id, token or revision that is taken: a token of service-center has some 600 characters. */
const MAX_ID_LENGTH = 16_384;
/** Longest detail: it names two services. */
const MAX_DETAIL_LENGTH = 1_000;

/** @throws ServiceCenterError SC_ANSWER when there is no such id */
export function idIn(body: unknown, name: string): string {
  const id = textOf(membersOf(body)[name]);
  // `..` would be another path, and megabytes would be sent back with every request.
  if (id !== undefined && id.length <= MAX_ID_LENGTH && id !== '.' && id !== '..') return id;
  throw new ServiceCenterError('SC_ANSWER', `service-center answered without ${name}; is its address right?`);
}

/** The members of an object. @throws ServiceCenterError SC_ANSWER for anything else */
export function membersIn(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return membersOf(value);
  throw new ServiceCenterError('SC_ANSWER', `service-center answered ${excerptOf(value)} where an object should be`);
}

/**
 * An encoder of Go leaves out an empty list, or writes null. Anything else that is no list is no answer, and must not look like "gone".
 * @throws ServiceCenterError SC_ANSWER
 */
export function listIn(body: unknown, name: string): readonly unknown[] {
  const list = membersIn(body)[name];
  if (isListOrNothing(list)) return itemsOf(list);
  throw new ServiceCenterError('SC_ANSWER', `service-center answered with ${name} that are no list`);
}

/** @throws ServiceCenterError SC_ANSWER when an item has no result: an answer for somebody else must not look like "gone" */
export function readFound(found: Readonly<Record<string, unknown>>, count: number): readonly FindResult[] {
  const results: (FindResult | undefined)[] = Array.from({ length: count }, () => undefined);
  const isIndex = (index: unknown): index is number => Number.isInteger(index) && (index as number) < count;
  for (const index of itemsOf(found['notModified'])) {
    if (isIndex(index)) results[index] = { kind: 'not-modified' };
  }
  for (const item of itemsOf(found['updated'])) {
    // Some encoders of Go leave out a zero.
    const { index = 0, rev, instances } = membersOf(item);
    if (isIndex(index)) results[index] = readUpdated(rev, instances);
  }
  for (const item of itemsOf(found['failed'])) {
    const { indexes, error } = membersOf(item);
    const { errorCode, detail } = membersOf(error);
    const failed: FindResult = {
      kind: 'failed',
      errorCode: codeOf(errorCode),
      detail: (textOf(detail) ?? '').slice(0, MAX_DETAIL_LENGTH),
    };
    for (const index of itemsOf(indexes)) if (isIndex(index)) results[index] = failed;
  }
  return results.map((result) => {
    if (result !== undefined) return result;
    throw new ServiceCenterError('SC_ANSWER', 'service-center answered a question about several services in part only');
  });
}

/** One item that makes no sense leaves the others as they are. */
function readUpdated(rev: unknown, instances: unknown): FindResult {
  if (!isListOrNothing(instances)) {
    return { kind: 'failed', errorCode: undefined, detail: `instances that are no list: ${excerptOf(instances)}` };
  }
  const revision = textOf(rev);
  return {
    kind: 'updated',
    // Opaque; one of megabytes is not worth sending back.
    revision: revision !== undefined && revision.length <= MAX_ID_LENGTH ? revision : undefined,
    instances: itemsOf(instances),
  };
}

function isListOrNothing(value: unknown): boolean {
  return Array.isArray(value) || value === undefined || value === null;
}

/** Not of an object: one of a hostile server cannot be made a number, and throws. */
function codeOf(value: unknown): number | undefined {
  const code = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  return Number.isInteger(code) ? code : undefined;
}
