import { expect } from 'chai';
import { parseH2load } from './parse-h2load.js';

const SOUND = `starting benchmark...
Application protocol: h2c
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 1.00s, 113371.00 req/s, 8.76MB/s
requests: 113371 total, 113375 started, 113371 done, 113371 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 113371 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 8.76MB (9183149) total, 5.30MB (5555179) headers (space savings 50.51%), 1.51MB (1587194) data
                     min         max         mean         sd        +/- sd
time for request:       11us      3.69ms      1.29ms        30us    99.61%
time for connect:      119us       145us       132us        18us   100.00%
`;

describe('parseH2load', () => {
  it('takes each figure from its own line', () => {
    expect(parseH2load(SOUND)).to.deep.equal({
      requests: 113_371,
      seconds: 1,
      bodyBytes: 1_587_194,
      meanMicros: 1_290,
      faults: [],
    });
  });

  it('names calls that failed and statuses that are none of success', () => {
    const text = SOUND.replace('113371 succeeded, 0 failed, 0 errored', '100 succeeded, 7 failed, 3 errored').replace(
      '0 5xx',
      '7 5xx',
    );
    expect(parseH2load(text).faults).to.deep.equal(['7 calls failed', '3 calls errored', '7 statuses 5xx']);
  });

  it('calls a run without a success a fault, and one without figures an error', () => {
    expect(parseH2load(SOUND.replace('113371 succeeded', '0 succeeded')).faults).to.include('no call succeeded');
    expect(() => parseH2load('finished in 1.00s, 1 req/s')).to.throw(/no total/);
  });
});
