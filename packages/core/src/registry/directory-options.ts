import { s } from '../config/schema/combinators.js';
import type { Infer } from '../config/schema/schema.js';

/** `mesher.directory`: how services are watched. */
export const directorySchema = s.object(
  {
    maxServices: s.integer({
      default: 5_000,
      min: 1,
      doc: 'Most services watched at once. Names that the registry does not know make room for others.',
      reason: 'callers choose names freely; made-up ones must not fill the memory',
    }),
    idleTtl: s.duration({
      default: '10m',
      min: '1s',
      doc: 'Time without a call after which a service is no longer watched.',
      reason: 'only what is called should cost memory; ten minutes span the pauses of most callers',
    }),
    absentTtl: s.duration({
      default: '30s',
      min: '1s',
      doc: 'The same for names that the registry does not know.',
      reason: 'a typing error should be forgotten soon',
    }),
    firstAnswerTimeout: s.duration({
      default: '5s',
      min: '10ms',
      doc: 'How long calls wait for the first answer of the registry, from the first call of a service on; later calls do not wait.',
      reason: 'longer than a registry that is well needs, shorter than callers are patient',
    }),
    minRetryDelay: s.duration({
      default: '500ms',
      min: '10ms',
      doc: 'Longest first pause before watching again after trouble; doubled each time, and the pause drawn at random from 0 up to it.',
      reason: 'a registry that restarts is back within seconds',
    }),
    maxRetryDelay: s.duration({
      default: '30s',
      min: '10ms',
      doc: 'Longest pause of all.',
      reason: 'bounds how long news are late after a long outage',
    }),
  },
  { doc: 'How services are watched.' },
);

export type DirectoryOptions = Infer<typeof directorySchema>;

export const DEFAULT_DIRECTORY_OPTIONS: DirectoryOptions = {
  maxServices: 5_000,
  idleTtl: 600_000,
  absentTtl: 30_000,
  firstAnswerTimeout: 5_000,
  minRetryDelay: 500,
  maxRetryDelay: 30_000,
};
