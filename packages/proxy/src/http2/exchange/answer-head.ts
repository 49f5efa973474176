import type { Field } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { LocalAnswer } from '../../exchange/local-answer.js';
import { serverTiming } from '../../http1/server-fields.js';
import type { OutgoingHead } from '../connection/attempt-stream.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import { AnswerNote, MESHER_ERROR } from './answer-note.js';
import type { Http2Call } from './http2-call.js';

/** The head of an instance's answer as it goes to the client: what policies and this hop add to it, and what they take out. */
export function answerHead(block: HeaderBlock, call: Http2Call, env: Environment): OutgoingHead {
  const { isTransparent, responseFields, removedResponseFields } = call;
  const via = isTransparent ? undefined : env.forwarding.via('2.0');
  const isForged = !isTransparent && call.direction === 'inbound' && AnswerNote.of(block).hasError;
  const removed = isForged ? [...(removedResponseFields ?? []), MESHER_ERROR] : removedResponseFields;
  let added: HeaderField[] | undefined;
  if (responseFields !== undefined) added = responseFields.map(asHeaderField);
  if (via !== undefined) (added ??= []).push(new HeaderField('via', via));
  if (env.options.serverTiming && !isTransparent)
    (added ??= []).push(new HeaderField('server-timing', serverTiming(call, env.now())));
  const edits =
    removed === undefined ? undefined : env.editSets.without(removed.filter((name) => env.isEditable(name)));
  return { block, edits, added };
}

/** The head of an answer that Mesher makes itself. */
export function localHead({ status, fields }: LocalAnswer): OutgoingHead {
  const block = HeaderBlock.of([new HeaderField(':status', String(status)), ...fields.map(asHeaderField)]);
  return { block, edits: undefined, added: undefined };
}

/** The same as trailers, behind the head of an instance. */
export function localTrailers({ fields }: LocalAnswer): HeaderBlock {
  return HeaderBlock.of(fields.filter(([name]) => name !== 'content-type').map(asHeaderField));
}

function asHeaderField([name, value]: Field): HeaderField {
  return new HeaderField(name.toLowerCase(), value.trim());
}
