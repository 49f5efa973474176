import type { FramedMessage, Reading } from './framed-message.js';

/** How two readings of the same bytes relate. */
export type Judgement =
  /** Both saw the same messages, as far as we read. */
  | { readonly kind: 'same' }
  /** Node refused our message number `at` (from 0), or a part of it; `why` is its error code. */
  | { readonly kind: 'node refuses'; readonly why: string; readonly at: number }
  /** Both read on, and saw different messages: what smuggling is made of. */
  | { readonly kind: 'different'; readonly what: string };

const SAME: Judgement = { kind: 'same' };

/** Compares what we made of some bytes with what Node made of them. Whatever stands behind the place where we stop does not count. */
export function judge(ours: Reading, node: Reading): Judgement {
  for (const [i, mine] of ours.messages.entries()) {
    const theirs = node.messages.at(i);
    if (theirs === undefined) {
      if (node.stopped !== undefined && node.stopped !== 'close')
        return { kind: 'node refuses', why: node.stopped, at: i };
      return different(`message ${i + 1} is missing in node's reading`);
    }
    const what = compare(mine, theirs);
    if (what !== undefined) return different(`message ${i + 1}: ${what}`);
    if (mine.complete === theirs.complete) continue;
    if (!mine.complete) return different(`message ${i + 1} is complete for node only`);
    if (node.stopped !== undefined) return { kind: 'node refuses', why: node.stopped, at: i };
    return different(`message ${i + 1} is complete for us only`);
  }
  if (ours.stopped === undefined && node.messages.length > ours.messages.length)
    return different(`node has read ${node.messages.length} messages, we wait after ${ours.messages.length}`);
  return SAME;
}

function compare(mine: FramedMessage, theirs: FramedMessage): string | undefined {
  if (mine.start !== theirs.start) return `start ${JSON.stringify(mine.start)} or ${JSON.stringify(theirs.start)}`;
  if (mine.minorVersion !== theirs.minorVersion) return `version 1.${mine.minorVersion} or 1.${theirs.minorVersion}`;
  const [myFields, theirFields] = [JSON.stringify(mine.fields), JSON.stringify(theirs.fields)];
  if (myFields !== theirFields) return `fields ${myFields} or ${theirFields}`;
  if (mine.complete && theirs.complete) {
    if (mine.body !== theirs.body) return `body ${JSON.stringify(mine.body)} or ${JSON.stringify(theirs.body)}`;
    const [myTrailers, theirTrailers] = [JSON.stringify(mine.trailers), JSON.stringify(theirs.trailers)];
    if (myTrailers !== theirTrailers) return `trailers ${myTrailers} or ${theirTrailers}`;
  } else if (!mine.body.startsWith(theirs.body) && !theirs.body.startsWith(mine.body)) {
    return `beginning of the body ${JSON.stringify(mine.body)} or ${JSON.stringify(theirs.body)}`;
  }
  return undefined;
}

function different(what: string): Judgement {
  return { kind: 'different', what };
}
