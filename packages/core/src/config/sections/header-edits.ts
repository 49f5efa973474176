import { FieldBundle } from '../../invocation.js';
import { s } from '../schema/combinators.js';

/** Fields that frame the message or belong to one hop; the codec writes them (RFC 9110, 7.6.1). */
const HOP_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields by which sidecars find loops and tell their own errors from those of the application. */
const OWN_PREFIX = 'x-mesher-';

/**
 * What is wrong with a field that Mesher is to write into each request on its own; undefined when nothing is. A codec would refuse it, request
 * by request.
 */
export function markProblem(name: string): string | undefined {
  return HOP_FIELDS.has(name.toLowerCase()) || name.toLowerCase() === 'host'
    ? `header: '${name}' frames the message, belongs to one hop or is the host that is called; choose another name`
    : undefined;
}

function fieldProblem(name: string, value: string): string | undefined {
  if (HOP_FIELDS.has(name.toLowerCase()))
    return `the header '${name}' frames the message or belongs to one hop; it cannot be edited`;
  if (name.toLowerCase() === 'host') return "set the host with 'rewrite.host'";
  try {
    new FieldBundle([[name, value]]);
    return undefined;
  } catch {
    return `the header '${name}' or its value cannot be sent`;
  }
}

function fieldEdits(what: string) {
  return s.object(
    {
      set: s.map(s.string(), { keyName: 'header', doc: `Header fields of the ${what} that are replaced or added.` }),
      add: s.map(s.string(), { keyName: 'header', doc: `Header fields that are added to the ${what}.` }),
      remove: s.list(s.string(), { commaSeparated: true, default: [], doc: `Header fields that the ${what} loses.` }),
    },
    {
      check: ({ set, add, remove }) => {
        for (const [name, value] of [...set, ...add, ...remove.map((one) => [one, ''] as const)]) {
          const wrong = fieldProblem(name, value);
          if (wrong !== undefined) return wrong;
        }
        // What an answer says of Mesher may be hidden from callers outside.
        const kept = [...set.keys(), ...add.keys(), ...(what === 'request' ? remove : [])];
        const own = kept.find((name) => name.toLowerCase().startsWith(OWN_PREFIX));
        return own === undefined
          ? undefined
          : `the header '${own}' is how sidecars talk to each other; leave it to them`;
      },
    },
  );
}

/** `headers` of a rule or route. */
export const headerEditsSchema = s.object({ request: fieldEdits('request'), response: fieldEdits('answer') });
