import { s } from '../schema/combinators.js';

const ROUTING = 'routing will act on it';
const GOVERNANCE = 'matching will act on it';

const ingressRule = s.free({
  doc: 'Rules as a YAML text: host, apiPath, service.name, service.redirectPath, service.port.',
});

/** Where a call goes, besides to the service it names. */
export const ROUTING_SECTIONS = {
  'servicecomb.router': s.object(
    {
      infra: s.string({ doc: 'Where rules come from: cse (configuration) or pilot.' }),
      address: s.list(s.string(), { commaSeparated: true, doc: 'Address of that place.' }),
    },
    { doc: 'Where route rules come from.', notYet: ROUTING },
  ),
  'servicecomb.routeRule': s.map(s.free({ doc: 'Rules as a YAML text or list: precedence, match, route.' }), {
    keyName: 'service',
    doc: 'Route rules by service.',
    notYet: ROUTING,
  }),
  'servicecomb.sourceTemplate': s.map(s.free({ doc: 'Template of a source.' }), {
    keyName: 'template',
    obsolete: 'no version ever used templates; use servicecomb.match',
  }),
  'servicecomb.darklaunch.policy': s.map(s.free({ doc: 'Route rules of the first kind, as JSON.' }), {
    keyName: 'service',
    doc: 'Route rules of the first kind.',
    notYet: ROUTING,
  }),
  'servicecomb.match': s.map(s.free({ doc: 'Matches as a YAML text: headers, apiPath, method, queries.' }), {
    keyName: 'mark',
    doc: 'Which calls get which mark.',
    notYet: GOVERNANCE,
  }),
  egress: s.object(
    {
      infra: s.string({ doc: 'Where egress rules come from.' }),
      address: s.list(s.string(), { commaSeparated: true, doc: 'Address of that place.' }),
    },
    { doc: 'Where egress rules come from.', notYet: 'egress will act on it' },
  ),
  egressRule: s.map(
    s.list(
      s.object({
        hosts: s.list(s.string(), { required: true, doc: 'Hosts outside the mesh; the first label may be *.' }),
        ports: s.list(
          s.object({
            port: s.integer({ min: 1, max: 65_535, doc: 'Port.' }),
            protocol: s.string({ doc: 'Protocol of the port.' }),
          }),
          { doc: 'Ports of these hosts.' },
        ),
      }),
    ),
    { keyName: 'name', doc: 'Hosts outside the mesh that may be called.', notYet: 'egress will act on it' },
  ),
  'mesher.ingress': s.object(
    {
      type: s.string({ doc: 'Where ingress rules come from.' }),
      rule: s.object({ http: ingressRule }),
    },
    { doc: 'Rules of the edge.', notYet: 'the edge mode will act on it' },
  ),
};
