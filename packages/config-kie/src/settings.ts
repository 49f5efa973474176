import { s, type Infer } from '@mesher/core';

/** `plugin.settings.kie`: what the Kie client needs beyond `servicecomb.config.client`. */
export const kieSchema = s.object(
  {
    project: s.string({ default: 'default', doc: 'Project that the configuration belongs to; a part of the path.' }),
    byVersion: s.boolean({
      default: false,
      doc: 'Also asks for configuration with the label version, which wins over that of the service.',
      reason: 'go-chassis asks for application and service only',
    }),
    token: s.string({ doc: 'Sent as Authorization: Bearer; for a Kie with access control.', secret: true }),
    tokenFile: s.string({
      doc: 'File with the token, read again whenever the connection is made anew; relative to the configuration folder.',
    }),
    caFile: s.string({ doc: 'Certificates that are trusted, in PEM; those of Node.js when left out.' }),
    certFile: s.string({ doc: 'Own certificate in PEM, for a Kie that asks for one.' }),
    keyFile: s.string({ doc: 'Own key in PEM.' }),
    serverName: s.string({
      doc: 'Name that the certificate of Kie must have, when it is not the host of the address.',
    }),
    verifyPeer: s.boolean({
      default: true,
      doc: 'Checks the certificate of Kie.',
      reason: 'whoever speaks as Kie decides where calls go',
    }),
    requestTimeout: s.duration({
      default: '10s',
      min: '100ms',
      max: '5m',
      doc: 'How long an answer may take, beyond the time that Kie was asked to hold it back.',
      reason: 'Kie answers within milliseconds; ten seconds survive an election of its store',
    }),
    minInterval: s.duration({
      default: '200ms',
      min: '1ms',
      max: '1m',
      doc: 'Shortest time between two questions for the same labels while watching.',
      reason: 'a server that holds nothing back must not be asked without a pause; changes within it arrive together',
    }),
    confirmAfter: s.duration({
      default: '1s',
      min: '1ms',
      max: '1m',
      doc: 'After an answer with another revision, how long until everything is asked for once more.',
      reason:
        'Kie raises its revision before it stores the change: who asks in between gets the new revision with the old values',
    }),
    fullRefresh: s.duration({
      default: '5m',
      min: '1s',
      max: '24h',
      doc: 'Time between two questions for everything, whatever the revision is.',
      reason:
        'Kie may go on for minutes to answer with values that were deleted, and then drop them without a new revision',
    }),
    maxResponseBytes: s.bytes({
      default: '8MB',
      min: '1KB',
      max: '256MB',
      doc: 'Largest answer.',
      reason: 'one value has at most 128 KB; rules for a whole mesh fit many times',
    }),
  },
  { doc: 'The ServiceComb Kie config center.' },
);

export type KieSettings = Infer<typeof kieSchema>;
