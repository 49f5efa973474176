import { FieldBundle, silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import type { OutgoingHead } from '../connection/attempt-stream.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import { Http2Call } from './http2-call.js';

const REQUEST: readonly [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/p?q'],
  [':authority', 'orders:80'],
];

describe('HTTP/2 call', () => {
  const ports = fakePorts();
  const env = new Environment(
    DEFAULT_PROXY_OPTIONS,
    new Deadlines(ports.clock, ports.timers),
    new ProxyStats(),
    silentLogger(),
    ports.random,
    () => 0,
  );

  function blockOf(fields: readonly (readonly [string, string])[]): HeaderBlock {
    return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
  }

  function callOf(...fields: [string, string][]): Http2Call {
    return callOn(blockOf([...REQUEST, ...fields]));
  }

  function callOn(block: HeaderBlock): Http2Call {
    return new Http2Call(
      { direction: 'outbound', remoteAddress: '10.0.0.9', isTransparent: false, identify: () => undefined },
      block,
      env,
    );
  }

  /** The fields as they go upstream. */
  function sent({ block, edits, added }: OutgoingHead): string[] {
    const fields = edits === undefined ? block.fields : edits.apply(block);
    return [...fields, ...(added ?? [])].map(({ name, value }) => `${name}: ${value}`);
  }

  const HEAD = REQUEST.map(([name, value]) => `${name}: ${value}`);

  it('gives method, path, authority, peer and protocol', () => {
    const { method, path, authority, remoteAddress, protocol, idempotent, direction } = callOf();
    expect({ method, path, authority, remoteAddress, protocol, idempotent, direction }).to.deep.equal({
      method: 'GET',
      path: '/p?q',
      authority: 'orders:80',
      remoteAddress: '10.0.0.9',
      protocol: 'http',
      idempotent: true,
      direction: 'outbound',
    });
  });

  it('is of gRPC by its content-type alone', () => {
    for (const [type, protocol] of [
      ['application/grpc', 'grpc'],
      ['application/grpc+proto', 'grpc'],
      ['application/grpc;charset=x', 'grpc'],
      ['application/grpc-web', 'http'],
      ['application/json', 'http'],
    ]) {
      expect(callOf(['content-type', type]).protocol, type).to.equal(protocol);
    }
  });

  it('finds fields by lower-case name, joins repeated ones and crumbs of cookies, and gives undefined for others', () => {
    const call = callOf(['x-a', '1'], ['cookie', 'a=1'], ['x-a', '2'], ['cookie', 'b=2']);
    expect(call.header('x-a')).to.equal('1, 2');
    expect(call.header('cookie')).to.equal('a=1; b=2');
    expect(call.header('x-b')).to.equal(undefined);
    expect(call.fieldsBeginning('x-')).to.deep.equal([
      ['x-a', '1'],
      ['x-a', '2'],
    ]);
  });

  it('shows as Host what its client said in :authority, and the other way', () => {
    expect(callOf().header('host')).to.equal('orders:80');
    const call = callOn(blockOf([...REQUEST.slice(0, 3), ['host', 'stock']]));
    expect([call.header('host'), call.authority]).to.deep.equal(['stock', 'stock']);
  });

  it('sends its block itself as long as nothing is edited', () => {
    const call = callOf(['x-a', '1']);
    expect([call.edits, call.added]).to.deep.equal([undefined, undefined]);
    expect(sent(call)).to.deep.equal([...HEAD, 'x-a: 1']);
  });

  it('adds, replaces and removes fields, those of bundles too', () => {
    const call = callOf(['x-a', '1'], ['x-b', '1'], ['x-a', '2']);
    call.addFields(new FieldBundle([['X-C', '3']]));
    call.setHeader('X-A', 'new');
    call.addHeader('x-b', '2');
    call.removeHeader('x-c');
    call.removeHeader('x-none');
    expect(sent(call)).to.deep.equal([...HEAD, 'x-b: 1', 'x-a: new', 'x-b: 2']);
    expect(call.header('x-a')).to.equal('1, 2');
  });

  it('replaces path and authority in their places, and never sends two hosts', () => {
    const call = callOf(['host', 'orders:80']);
    call.setPath('/other');
    call.setHeader('Host', 'stock');
    expect(sent(call)).to.deep.equal([':method: GET', ':scheme: http', ':path: /other', ':authority: stock']);
    const bare = callOn(blockOf([...REQUEST.slice(0, 3), ['host', 'orders'], ['x-a', '1']]));
    bare.setHeader('host', 'stock');
    expect(sent(bare)).to.deep.equal([...HEAD.slice(0, 3), 'host: stock', 'x-a: 1']);
    const none = callOn(blockOf(REQUEST.slice(0, 3)));
    none.setHeader('host', 'stock');
    none.setHeader('host', 'shop');
    expect(sent(none)).to.deep.equal([...HEAD.slice(0, 3), 'host: shop']);
  });

  it('compiles the same edits once for all calls, so that encoders recognise them', () => {
    const edited = (...names: string[]): Http2Call => {
      const call = callOf(['x-a', '1'], ['x-b', '1']);
      for (const name of names) call.removeHeader(name);
      return call;
    };
    expect(edited('x-a').edits).to.equal(edited('x-a').edits);
    expect(edited('x-a').edits).not.to.equal(edited('x-b').edits);
    const moved = (path: string): Http2Call => {
      const call = edited('x-a');
      call.setPath(path);
      return call;
    };
    expect(moved('/x').edits).to.equal(moved('/x').edits);
    expect(moved('/x').edits).not.to.equal(moved('/y').edits);
    expect(moved('/x').edits).not.to.equal(edited('x-a').edits);
  });

  it('keeps a snapshot free of later edits, and gives copies another authority', () => {
    const call = callOf(['x-a', '1']);
    call.addHeader('x-b', '1');
    const before = call.snapshot();
    const copy = call.snapshot('shadow');
    call.addHeader('x-b', '2');
    call.removeHeader('x-a');
    expect(sent(before)).to.deep.equal([...HEAD, 'x-a: 1', 'x-b: 1']);
    expect(sent(copy)).to.deep.equal([...HEAD.slice(0, 3), ':authority: shadow', 'x-a: 1', 'x-b: 1']);
  });

  it('refuses values and paths that cannot be sent, and names that are none or belong to the codec', () => {
    const call = callOf();
    for (const value of ['a\r\nb: c', 'a\0', 'a\u{10a}']) expect(() => call.addHeader('x', value)).to.throw(/refused/);
    for (const name of ['', 'x y', ':path', 'content-length', 'te', 'Connection']) {
      expect(() => call.setHeader(name, '1'), name).to.throw(/refused/);
      expect(() => call.addResponseField(name, '1'), name).to.throw(/refused/);
    }
    for (const path of ['', 'x', '/a b', '/a\r\n', '*']) expect(() => call.setPath(path), path).to.throw(/refused/);
    expect(sent(call)).to.deep.equal(HEAD);
  });
});
