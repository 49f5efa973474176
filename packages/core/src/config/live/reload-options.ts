import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

/** `mesher.reload`: how changes of the configuration are noticed. */
export const reloadSchema = s.object(
  {
    enabled: s.boolean({
      default: true,
      doc: 'Takes over changes of the configuration files while running. SIGHUP reads them again in any case.',
      reason: 'a bad change is refused as a whole and the running configuration stays',
    }),
    debounce: s.duration({
      default: '100ms',
      min: '1ms',
      max: '1m',
      doc: 'How long the files must be quiet before they are read; under steady changes they are read after five times as long.',
      reason: 'editors and copies write in several steps within milliseconds',
    }),
    poll: s.duration({
      default: '10s',
      min: '100ms',
      max: '1h',
      doc: 'Time between two looks at the files that need no event.',
      reason: 'network file systems and files behind symbolic links make no events; a look reads a few KB',
    }),
  },
  { doc: 'How changes of the configuration are noticed.' },
);

export type ReloadOptions = Infer<typeof reloadSchema>;
