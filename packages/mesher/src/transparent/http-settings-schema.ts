import { markProblem, s, type Infer } from '@mesher/core';
import { ALL_SERVICES, allowEntryProblem } from './steering/allow-list.js';

/** RFC 9110, 5.1. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD = { pattern: TOKEN, expectation: 'the name of a header field, such as X-Route' } as const;
const COOKIE = { pattern: TOKEN, expectation: 'the name of a cookie, such as X-Route' } as const;
/** What may stand in a field: printable ASCII that neither begins nor ends with a blank. */
const FIELD_TEXT = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;

/** What an entry of the list of targets looks like; whether it is one, with its port or the size of its net, is looked into afterwards. */
const ALLOWED = /^(@services|(\*\.)?[\w.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?|[0-9a-f:.]+(\/\d{1,3})?)$/i;
const ALLOWED_IN_WORDS = `a host, host:port, *.suffix, address, net (10.0.0.0/8) or ${ALL_SERVICES}`;

/** `transparent.source`: who calls, for whoever is called. */
export const sourceSchema = s.object(
  {
    enabled: s.boolean({
      default: false,
      doc: 'Sets the field on each HTTP request that leaves, whatever the program has written there. True when NETRA_HTTP_PORTS or one of the NETRA_HTTP_X_SOURCE_* variables is set, unless a file says otherwise. Nothing is set with requests: pass.',
      reason:
        'nothing changes what programs send until somebody asks for it; with the environment of netramesh it does',
    }),
    header: s.string({
      ...FIELD,
      default: 'X-Source',
      doc: 'Name of the field (NETRA_HTTP_X_SOURCE_HEADER_NAME).',
    }),
    value: s.string({
      pattern: FIELD_TEXT,
      expectation: 'printable ASCII',
      default: 'netra',
      doc: 'Its value (NETRA_HTTP_X_SOURCE_VALUE), usually the name of the application.',
    }),
  },
  { doc: 'A field that tells who calls.', check: ({ header }) => markProblem(header) },
);

/** `transparent.routing`: requests that say where they go. */
export const routingSchema = s.object(
  {
    enabled: s.boolean({
      default: false,
      doc: 'Sends outbound HTTP requests where a header or a cookie says (NETRA_HTTP_ROUTING_ENABLED): host1=host2 takes a request for host1 to host2; its Host stays.',
      reason: 'whoever can send a request to the application decides then where its calls go',
    }),
    header: s.string({
      ...FIELD,
      default: 'X-Route',
      doc: 'Name of the header field (NETRA_HTTP_ROUTING_HEADER_NAME).',
    }),
    cookieEnabled: s.boolean({
      default: false,
      doc: 'A cookie may say it, too, and is looked at first (NETRA_HTTP_ROUTING_COOKIE_ENABLED).',
    }),
    cookie: s.string({ ...COOKIE, default: 'X-Route', doc: 'Name of the cookie (NETRA_HTTP_ROUTING_COOKIE_NAME).' }),
    allow: s.list(s.string({ pattern: ALLOWED, expectation: ALLOWED_IN_WORDS }), {
      commaSeparated: true,
      default: [ALL_SERVICES],
      doc: `Where requests may be sent (NETRA_HTTP_ROUTING_ALLOW): ${ALL_SERVICES} for all services of the registry, hosts and names of services (orders, orders.shop:8080), all below a name (*.staging.example), addresses and nets (10.1.0.0/16, 10.0.0.7:8080, [fd77::1]:80). A port after the name of a service counts only where that service is on the list. Names are resolved once, and the address found is checked and called. This machine, its link and its metadata service are reached only where the address itself (127.0.0.1, 169.254.0.0/16) or localhost is on the list; ports of the sidecar never.`,
      reason:
        'the value comes from whoever called the application: without a list anybody could reach through it what he cannot reach himself',
    }),
    expiration: s.duration({
      default: '5s',
      min: '1ms',
      max: '1h',
      bareUnit: 'ms',
      doc: 'How long the route of an inbound request is remembered under its id after it has ended (NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS).',
      reason: 'that of netramesh, which counts from the beginning of the request',
    }),
    cleanupInterval: s.duration({
      default: '1s',
      min: '10ms',
      max: '1h',
      bareUnit: 'ms',
      doc: 'Time between two rounds in which expired ones are forgotten (NETRA_ROUTING_CONTEXT_CLEANUP_INTERVAL).',
    }),
    maxContexts: s.integer({
      default: 10_000,
      min: 1,
      max: 1_000_000,
      doc: 'Most routes that are remembered; the oldest one goes.',
      reason: 'about 300 bytes each, and less than 2 KB',
    }),
  },
  {
    doc: 'Requests that say where they go.',
    check: ({ allow, header }) => {
      const wrong = markProblem(header);
      if (wrong !== undefined) return wrong;
      for (const entry of allow) {
        const problem = allowEntryProblem(entry);
        if (problem !== undefined) return `allow: ${problem}`;
      }
      return undefined;
    },
  },
);

export type SourceOptions = Infer<typeof sourceSchema>;
export type RoutingOptions = Infer<typeof routingSchema>;
