import { AgentError, bad } from '../http/agent-error.js';
import { flagOf, param, type Call, type Routes } from '../http/call.js';

/** Largest value that Consul takes. */
const MAX_VALUE_BYTES = 512 * 1024;

/** Keys and values. */
export const KV_API: Routes = {
  'GET /v1/kv/*key': (call) => {
    if (flagOf(call, 'keys')) return call.blocking(() => listKeys(call));
    if (flagOf(call, 'recurse')) return call.blocking(() => list(call));
    const key = keyOf(call);
    call.rights.need('keyRead', key);
    return call.blocking(() => {
      const entry = call.store.kv.get(key);
      const index = call.store.kv.indexOf(key);
      if (entry === undefined) return { index, status: 404 };
      return flagOf(call, 'raw')
        ? { index, body: Buffer.from(entry.Value ?? '', 'base64').toString('utf8') }
        : { index, body: [entry] };
    });
  },
  'PUT /v1/kv/*key': (call) => {
    const key = keyOf(call);
    call.rights.need('keyWrite', key);
    const value = Buffer.from(call.text);
    if (value.length > MAX_VALUE_BYTES) {
      throw new AgentError(413, `Request body(${value.length} bytes) too large, max size: ${MAX_VALUE_BYTES} bytes.`);
    }
    return { body: call.store.kv.put(key, value, Number(call.query.get('flags') ?? 0), casOf(call)) };
  },
  'DELETE /v1/kv/*key': (call) => {
    const isPrefix = flagOf(call, 'recurse');
    const key = isPrefix ? param(call, 'key') : keyOf(call);
    call.rights.need('keyWrite', key);
    return { body: call.store.kv.remove(key, isPrefix, casOf(call)) };
  },
};

function list(call: Call): { index: number; status?: number; body?: object; filtered: boolean } {
  const prefix = param(call, 'key');
  const all = call.store.kv.list(prefix);
  const seen = all.filter(({ Key }) => call.rights.may('keyRead', Key));
  const index = call.store.kv.indexBelow(prefix);
  const filtered = seen.length < all.length;
  return seen.length === 0 ? { index, status: 404, filtered } : { index, body: seen, filtered };
}

function listKeys(call: Call): { index: number; status?: number; body?: object } {
  const prefix = param(call, 'key');
  const separator = call.query.get('separator') ?? '';
  const keys = call.store.kv.list(prefix).filter(({ Key }) => call.rights.may('keyRead', Key));
  const cut = ({ Key }: { readonly Key: string }): string => {
    const at = separator === '' ? -1 : Key.indexOf(separator, prefix.length);
    return at < 0 ? Key : Key.slice(0, at + separator.length);
  };
  const index = call.store.kv.indexBelow(prefix);
  return keys.length === 0 && prefix !== '' ? { index, status: 404 } : { index, body: [...new Set(keys.map(cut))] };
}

/** @throws AgentError 400 */
function keyOf(call: Call): string {
  return param(call, 'key') || bad('Missing key name');
}

function casOf({ query }: Call): number | undefined {
  const text = query.get('cas');
  return text === null ? undefined : Number(text);
}
