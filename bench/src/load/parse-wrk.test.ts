import { expect } from 'chai';
import { parseWrk } from './parse-wrk.js';

const SOUND = `Running 1s test @ http://127.0.0.1:8080/128
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   156.61us  211.13us   5.81ms   97.41%
    Req/Sec    21.23k     1.11k   22.96k    50%
  Latency Distribution
     50%  131.00us
     75%  157.00us
     90%  196.00us
     99%    1.06ms
  21105 requests in 1.10s, 6.25MB read
Requests/sec:  19186.36
Transfer/sec:      5.68MB
`;

describe('parseWrk', () => {
  it('reads requests, seconds and bytes in the units that wrk chose', () => {
    const result = parseWrk(SOUND);
    expect(result.requests).to.equal(21105);
    expect(result.seconds).to.equal(1.1);
    expect(result.bytes).to.equal(6.25 * 1024 * 1024);
    expect(result.faults).to.deep.equal([]);
  });

  it('takes the percentiles from the distribution, not from the table above it, and converts ms and s to us', () => {
    expect(parseWrk(SOUND)).to.include({ p50Micros: 131, p99Micros: 1060 });
    const slow = SOUND.replace('131.00us', '12.50ms').replace('1.06ms', '1.20s');
    expect(parseWrk(slow)).to.include({ p50Micros: 12_500, p99Micros: 1_200_000 });
  });

  it('reads a total in minutes and gigabytes', () => {
    const result = parseWrk(SOUND.replace('1.10s, 6.25MB', '1.50m, 2.00GB'));
    expect(result.seconds).to.equal(90);
    expect(result.bytes).to.equal(2 * 1024 ** 3);
  });

  it('names every kind of socket error and leaves out those that did not happen', () => {
    const text = SOUND.replace('Requests/sec', '  Socket errors: connect 1, read 0, write 3, timeout 4\nRequests/sec');
    expect(parseWrk(text).faults).to.deep.equal(['1 connect errors', '3 write errors', '4 timeouts']);
  });

  it('counts answers with an error status as a fault', () => {
    const text = SOUND.replace('Requests/sec', '  Non-2xx or 3xx responses: 12\nRequests/sec');
    expect(parseWrk(text).faults).to.deep.equal(['12 answers with an error status']);
  });

  it('calls a burst without a completed request a fault', () => {
    expect(parseWrk(SOUND.replace('21105 requests', '0 requests')).faults).to.deep.equal(['no request completed']);
  });

  it('throws rather than guesses when a figure is missing', () => {
    expect(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused')).to.throw(/no total/);
    expect(() => parseWrk(SOUND.replace(/^ +99%.*\n/m, ''))).to.throw(/no 99% latency/);
    expect(() => parseWrk(SOUND.replace('  Latency Distribution\n', ''))).to.throw(/no latency distribution/);
  });
});
