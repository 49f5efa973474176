import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { parseServicePorts, parseSpecificAddress } from './service-ports.js';

function usageError(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(isMeshError(error, 'MESH_ERR_USAGE')).to.equal(true);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseServicePorts', () => {
  it('reads protocol and port', () => {
    expect(parseServicePorts('rest:8080,grpc:9000')).to.deep.equal([
      { protocol: 'rest', port: 8080 },
      { protocol: 'grpc', port: 9000 },
    ]);
  });

  it('does not mind spaces, and empty parts', () => {
    const expected = [
      { protocol: 'rest', name: 'admin', port: 8080 },
      { protocol: 'grpc', port: 9000 },
    ];
    expect(parseServicePorts(' rest-admin:8080, grpc : 9000 ,')).to.deep.equal(expected);
    expect(parseServicePorts('')).to.deep.equal([]);
  });

  it('takes http for rest', () => {
    expect(parseServicePorts('http:3000,http-legacy:3001')).to.deep.equal([
      { protocol: 'rest', port: 3000 },
      { protocol: 'rest', name: 'legacy', port: 3001 },
    ]);
  });

  it('says what is wrong, and shows an example', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['8080', "'8080' is not {protocol}:{port}"],
      ['rest:8080:1', "'rest:8080:1' is not {protocol}:{port}"],
      [':8080', "':8080' is not {protocol}:{port}"],
      ['rest:', "'' in 'rest:' is no port"],
      ['rest:80a', "'80a' in 'rest:80a' is no port"],
      ['rest:0', "'0' in 'rest:0' is no port"],
      ['rest:65536', "'65536' in 'rest:65536' is no port"],
      ['rest-a-b:1', "'rest-a-b' is no protocol name"],
      ['http:1,rest:2', "'rest:2' names a port a second time"],
    ];
    for (const [text, expected] of cases) {
      const message = usageError(() => parseServicePorts(text));
      expect(message).to.contain(expected);
      expect(message).to.contain('--service-ports=rest:8080,grpc:9000');
    }
  });
});

describe('parseSpecificAddress', () => {
  it('gives the HTTP port, whatever the host', () => {
    expect(parseSpecificAddress('10.0.0.1:8080')).to.deep.equal([{ protocol: 'rest', port: 8080 }]);
  });

  it('refuses what is no address', () => {
    expect(usageError(() => parseSpecificAddress('8080'))).to.contain('SPECIFIC_ADDR expects host:port');
  });
});
