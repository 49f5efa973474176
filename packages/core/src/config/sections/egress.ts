import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { hostPatternProblem } from '../../routing/egress/host-pattern.js';

/** `egress`. */
export const egressSchema = s.object(
  {
    infra: s.string({ doc: 'Where egress rules come from: only cse, the configuration, has an effect.' }),
    address: s.list(s.string(), {
      commaSeparated: true,
      doc: 'Address of that place.',
      obsolete: 'egress rules come from the configuration',
    }),
  },
  { doc: 'Where egress rules come from.' },
);

/** `egressRule`. */
export const egressRuleSchema = s.map(
  s.yaml(
    s.list(
      s.object(
        {
          hosts: s.list(s.string(), {
            commaSeparated: true,
            required: true,
            doc: 'Hosts outside the mesh. `*.yahoo.com` stands for every name below yahoo.com, not for yahoo.com itself.',
          }),
          ports: s.list(
            s.object({
              port: s.integer({ required: true, min: 1, max: 65_535, doc: 'Port.' }),
              protocol: s.string({ default: 'HTTP', doc: 'Protocol of the port: HTTP, HTTPS, GRPC, TCP.' }),
            }),
            { default: [], doc: 'Ports that may be called; any when left out.' },
          ),
        },
        {
          check: ({ hosts }) => {
            for (const host of hosts ?? []) {
              const wrong = hostPatternProblem(host);
              if (wrong !== undefined) return wrong;
            }
            return undefined;
          },
        },
      ),
    ),
  ),
  { keyName: 'name', doc: 'Hosts outside the mesh that may be called.' },
);

export type EgressRuleConfig = NonNullable<
  Infer<typeof egressRuleSchema> extends ReadonlyMap<string, infer V> ? V : never
>[number];
