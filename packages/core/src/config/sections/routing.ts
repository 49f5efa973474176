import { s } from '../schema/combinators.js';
import { darklaunchSchema } from './darklaunch.js';
import { egressRuleSchema, egressSchema } from './egress.js';
import { matchGroupSchema } from './match.js';
import { routeRuleSchema, sourceTemplateSchema } from './route-rules.js';

const ingressRule = s.free({
  doc: 'Rules as a YAML text: host, apiPath, service.name, service.redirectPath, service.port.',
});

/** Where a call goes, besides to the service it names. */
export const ROUTING_SECTIONS = {
  'servicecomb.router': s.object(
    {
      infra: s.string({
        doc: 'Where route rules come from: only cse, the configuration, has an effect in this version.',
      }),
      address: s.list(s.string(), {
        commaSeparated: true,
        doc: 'Address of that place.',
        notYet:
          'rules from a control plane will come with the pilot registry; those of the configuration are in effect',
        section: 'servicecomb.router',
      }),
    },
    { doc: 'Where route rules come from.' },
  ),
  'servicecomb.routeRule': routeRuleSchema,
  'servicecomb.sourceTemplate': sourceTemplateSchema,
  'servicecomb.darklaunch.policy': darklaunchSchema,
  'servicecomb.match': matchGroupSchema,
  egress: egressSchema,
  egressRule: egressRuleSchema,
  'mesher.ingress': s.object(
    {
      type: s.string({ doc: 'Where ingress rules come from.' }),
      rule: s.object({ http: ingressRule }),
    },
    { doc: 'Rules of the edge.', notYet: 'the edge mode will act on it' },
  ),
};
