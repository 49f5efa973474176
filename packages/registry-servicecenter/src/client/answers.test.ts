import { expect } from 'chai';
import { idIn, listIn, readFound } from './answers.js';

const parse = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('an answer of service-center', () => {
  it('to several questions is read by index, and an index left out is zero', () => {
    const found = parse(
      '{"notModified":[2],"updated":[{"rev":"r","instances":[1]}],' +
        '"failed":[{"indexes":[1,3],"error":{"errorCode":"400012","detail":"provider does not exist"}}]}',
    );
    const failed = { kind: 'failed', errorCode: 400012, detail: 'provider does not exist' };
    const updated = { kind: 'updated', revision: 'r', instances: [1] };
    expect(readFound(found, 4)).to.deep.equal([updated, failed, { kind: 'not-modified' }, failed]);
  });

  it('is none when it leaves out a question, whatever else it holds', () => {
    for (const text of [
      '{}',
      '{"notModified":[0,2,-1,0.5,"1",1e9]}',
      '{"notModified":0,"updated":{},"failed":"x"}',
      '{"notModified":[0],"failed":[{"indexes":[[1]],"error":null},null,7]}',
    ]) {
      expect(() => readFound(parse(text), 2), text).to.throw('in part only');
    }
  });

  it('says nothing of a service when its instances are no list, and keeps to the others', () => {
    for (const instances of ['{}', '"x"', '7', 'false', '{"toString":1}']) {
      const found = parse(`{"updated":[{"index":0,"instances":${instances}},{"index":1,"instances":null}]}`);
      const [odd, empty] = readFound(found, 2);
      expect(odd, instances).to.include({ kind: 'failed', errorCode: undefined });
      expect(empty).to.deep.equal({ kind: 'updated', revision: undefined, instances: [] });
    }
  });

  it('may hold a code of which no number can be made', () => {
    const found = parse('{"failed":[{"indexes":[0],"error":{"errorCode":{"valueOf":1,"toString":1},"detail":{}}}]}');
    expect(readFound(found, 1)).to.deep.equal([{ kind: 'failed', errorCode: undefined, detail: '' }]);
  });

  it('holds no revision, id or detail of a megabyte that would be kept or sent back', () => {
    const long = 'x'.repeat(1_000_000);
    const [updated] = readFound({ updated: [{ rev: long }] }, 1);
    expect(updated).to.include({ kind: 'updated', revision: undefined });
    const [failed] = readFound({ failed: [{ indexes: [0], error: { detail: long } }] }, 1);
    expect(JSON.stringify(failed)).to.have.length.below(1_100);
    expect(() => idIn({ serviceId: long }, 'serviceId')).to.throw('without serviceId');
  });

  it('holds no id that would lead to another path', () => {
    for (const serviceId of ['', '.', '..', 7, null, undefined]) {
      expect(() => idIn({ serviceId }, 'serviceId')).to.throw('is its address right?');
    }
  });

  it('that should be a list may be left out or null, and nothing else', () => {
    expect([{}, { a: null }, { a: [1] }].map((body) => listIn(body, 'a'))).to.deep.equal([[], [], [1]]);
    for (const a of [{}, '', 0, false]) expect(() => listIn({ a }, 'a')).to.throw('no list');
    for (const body of [[], '', null, undefined, 7]) expect(() => listIn(body, 'a')).to.throw('where an object');
  });
});
