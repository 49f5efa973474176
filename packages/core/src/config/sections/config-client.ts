import { s } from '../schema/combinators.js';
import type { Infer, Notes } from '../schema/schema.js';

/** Keys of other config centers; they share one notice. */
const OTHERS: Notes = {
  notYet: 'kie does not need it',
  section: 'servicecomb.config.client.{refreshPort,autodiscovery,tenantName,dimension,api,serviceName,env,cluster}',
};

/** `servicecomb.config.client`: where configuration comes from besides files. */
export const configClientSchema = s.object(
  {
    enabled: s.boolean({
      default: true,
      doc: 'Whether the config center is asked.',
      reason: 'nothing is asked without serverUri anyway',
    }),
    type: s.string({
      default: 'kie',
      doc: 'Kind of config center: kie (also spelled servicecomb-kie), consul, or the config source of a plugin.',
    }),
    serverUri: s.list(s.string(), {
      commaSeparated: true,
      default: [],
      doc: 'Addresses of the config center; when one does not answer, the next is asked.',
    }),
    refreshMode: s.integer({
      min: 0,
      max: 1,
      doc: '0: watch (a change arrives at once), 1: ask at intervals. When left out, Kie is asked at intervals, as by go-chassis, and Consul is watched.',
    }),
    refreshInterval: s.duration({
      default: '30s',
      bareUnit: 's',
      min: '1s',
      max: '5m',
      doc: 'Time between two questions, or how long the config center may hold back an answer while nothing changes; a bare number means seconds.',
      reason: 'five minutes is the longest that Kie waits',
    }),
    startTimeout: s.duration({
      default: '3s',
      max: '5m',
      doc: 'How long a start waits for the first answer; then it goes on with the files, and the answer is taken over when it comes.',
      reason: 'a config center that is down must not keep a service down',
    }),
    maxRetryInterval: s.duration({
      default: '30s',
      min: '1s',
      max: '1h',
      doc: 'Longest pause between two attempts while the config center does not answer; it is tried for ever.',
      reason: 'long enough to spare a server that is in trouble, short enough to be back soon after it',
    }),
    refreshPort: s.string({ doc: 'Port for pushed changes.', ...OTHERS }),
    autodiscovery: s.boolean({ doc: 'Finds the other nodes of the config center.', ...OTHERS }),
    tenantName: s.string({ doc: 'Tenant.', ...OTHERS }),
    dimension: s.free({ doc: 'Labels of the configuration to ask for.', ...OTHERS }),
    dimensionsInfo: s.free({ doc: 'Labels of the configuration to ask for.', ...OTHERS }),
    api: s.object({ version: s.string({ doc: 'Version of the API.' }) }, OTHERS),
    serviceName: s.string({ doc: 'Apollo: application.', ...OTHERS }),
    env: s.string({ doc: 'Apollo: environment.', ...OTHERS }),
    cluster: s.string({ doc: 'Apollo: cluster.', ...OTHERS }),
    namespace: s.string({ doc: 'Apollo: namespace.', ...OTHERS }),
    token: s.string({ doc: 'Apollo: token.', secret: true, ...OTHERS }),
  },
  { doc: 'Where configuration comes from besides files.' },
);

export type ConfigClientConfig = Infer<typeof configClientSchema>;
