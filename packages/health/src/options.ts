import { s, type Infer } from '@mesher/core';

/** `mesher.health`: what follows from the local health checks. */
export const healthSchema = s.object({
  refuseWhileDown: s.boolean({
    default: false,
    doc: 'Answers inbound calls with 503 MESH_ERR_LOCAL_DOWN while the application is DOWN.',
    reason: 'callers are told by the registry; a call that comes all the same may still succeed',
  }),
  publishTimeout: s.duration({
    default: '10s',
    min: '100ms',
    doc: 'How long the registry may take for a status, until it is told again.',
    reason: 'a server that restarts is back by then',
  }),
  publishRetry: s.object(
    {
      first: s.duration({
        default: '500ms',
        min: '10ms',
        doc: 'Longest wait after the first failure; doubled with each one in a row.',
        reason: 'most trouble is over soon',
      }),
      most: s.duration({
        default: '30s',
        min: '100ms',
        doc: 'Longest wait between two attempts. Each wait is a random part of its limit.',
        reason: 'a registry that comes back is not called by all at once',
      }),
    },
    { doc: 'When a status that the registry did not take is sent again.' },
  ),
});

export type HealthOptions = Infer<typeof healthSchema>;
