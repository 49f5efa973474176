import { expect } from 'chai';
import { compressionAlgorithms, status as Code, type Metadata } from '@grpc/grpc-js';
import { randomBytes } from 'node:crypto';
import { ECHO_METHODS, FAILURE_DETAIL, type EchoMethod } from './echo-service.js';
import type { GrpcApp } from './grpc-app.js';
import { allMessages, nextMessage, outcome, type GrpcClient } from './grpc-client.js';

const MIB = 1_048_576;
const LARGE = 10 * MIB;
const DEADLINE_MS = 1000;

/** Where a case runs: a client on one side, the application on the other, and whatever between them. */
export interface GrpcWay {
  readonly app: GrpcApp;
  /** Name of the application, as the heads of its answers tell it. */
  readonly name: string;
  /** A client that speaks to the application through what is tested; closed by the test. */
  client(options?: ConstructorParameters<typeof GrpcClient>[2]): GrpcClient;
}

/** What every implementation of gRPC must be able to do through sidecars as it does without. */
export const GRPC_CASES: readonly { readonly title: string; run(way: GrpcWay): Promise<void> }[] = [
  {
    title: 'a unary call, with metadata of text and of bytes in both directions, in head and trailers',
    async run(way) {
      const bytes = randomBytes(300);
      const fields = { 'echo-text': 'a b; c', 'echo-bytes-bin': bytes, 'trail-text': 'z', 'trail-bytes-bin': bytes };
      const { message, head, status } = await way.client().say('hello', fields);
      expect([status.code, message?.toString()]).to.deep.equal([Code.OK, 'hello']);
      expect(head?.get('served-by')).to.deep.equal([way.name]);
      expect([head?.get('echo-text'), head?.get('echo-bytes-bin')]).to.deep.equal([['a b; c'], [bytes]]);
      expect([status.metadata.get('trail-text'), status.metadata.get('trail-bytes-bin')]).to.deep.equal([
        ['z'],
        [bytes],
      ]);
    },
  },
  {
    title: 'an empty message',
    async run(way) {
      const { message, status } = await way.client().say('');
      expect([status.code, message?.length]).to.deep.equal([Code.OK, 0]);
    },
  },
  {
    title: 'messages that the client has compressed',
    async run(way) {
      const zeros = Buffer.alloc(MIB);
      const client = way.client({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
      const { message, status } = await client.say(zeros);
      expect(status.code, status.details).to.equal(Code.OK);
      expect(message?.equals(zeros)).to.equal(true);
    },
  },
  {
    title: 'an error in trailers only, with its detail and trailers as they were sent',
    async run(way) {
      const fields = {
        fail: String(Code.FAILED_PRECONDITION),
        'trail-why': 'because',
        'trail-bytes-bin': randomBytes(9),
      };
      const { message, status } = await way.client().say('x', fields);
      expect([status.code, status.details, message]).to.deep.equal([
        Code.FAILED_PRECONDITION,
        FAILURE_DETAIL,
        undefined,
      ]);
      expect(status.metadata.get('trail-why')).to.deep.equal(['because']);
      expect(status.metadata.get('trail-bytes-bin')).to.deep.equal([fields['trail-bytes-bin']]);
    },
  },
  {
    title: 'an error after the head of the answer',
    async run(way) {
      const fields = { fail: String(Code.DATA_LOSS), 'fail-late': '1', 'trail-why': 'because' };
      const { head, status } = await way.client().say('x', fields);
      expect([status.code, status.details]).to.deep.equal([Code.DATA_LOSS, FAILURE_DETAIL]);
      expect([head?.get('served-by'), status.metadata.get('trail-why')]).to.deep.equal([[way.name], ['because']]);
    },
  },
  {
    title: 'every status that there is, as it was sent',
    async run(way) {
      const client = way.client();
      const codes = Array.from({ length: 16 }, (_none, index) => index + 1);
      const answers = await Promise.all(codes.map((code) => client.say('x', { fail: String(code) })));
      expect(answers.map(({ status }) => status.code)).to.deep.equal(codes);
      expect(new Set(answers.map(({ status }) => status.details))).to.deep.equal(new Set([FAILURE_DETAIL]));
    },
  },
  {
    title: 'the error of the application for a method that it does not have',
    async run(way) {
      const nothing: EchoMethod = { ...ECHO_METHODS.say, path: '/mesher.test.Echo/Nothing' };
      const { status } = await way.client().unary(nothing, 'x');
      expect(status.code).to.equal(Code.UNIMPLEMENTED);
      expect(status.metadata.get('x-mesher-error')).to.deep.equal([]);
    },
  },
  {
    title: 'server streaming: the first message arrives before the second is sent',
    async run(way) {
      const call = way.client().count(3, 100, { stepwise: '1', 'trail-end': 'yes' });
      const end = outcome(call);
      for (let number = 0; number < 3; number++) {
        expect((await nextMessage(call)).readUInt32BE(0)).to.equal(number);
        if (number < 2) await way.app.release();
      }
      call.resume();
      const { head, status } = await end;
      expect([head?.get('served-by'), status.code]).to.deep.equal([[way.name], Code.OK]);
      expect(status.metadata.get('trail-end')).to.deep.equal(['yes']);
    },
  },
  {
    title: 'server streaming: 2,000 messages in their order, on ten calls at once',
    async run(way) {
      const client = way.client();
      const streams = await Promise.all(Array.from({ length: 10 }, () => allMessages(client.count(2000, 1000))));
      for (const messages of streams) {
        expect(messages.map((message) => message.readUInt32BE(0))).to.deep.equal([...Array(2000).keys()]);
      }
    },
  },
  {
    title: 'client streaming: the first message is with the application before the second is sent',
    async run(way) {
      const { call, answer } = way.client().sum({ 'trail-end': 'yes' });
      for (let number = 1; number <= 3; number++) {
        const arrived = way.app.process.untilPrinted(new RegExp(`^got ${number}$`, 'm'), 'now');
        call.write(Buffer.alloc(number * 10));
        await arrived;
      }
      call.end();
      const { message, status } = await answer;
      expect([message?.toString(), status.code]).to.deep.equal(['3,60', Code.OK]);
      expect(status.metadata.get('trail-end')).to.deep.equal(['yes']);
    },
  },
  {
    title: 'client streaming: an answer before the request has ended',
    async run(way) {
      const { call, answer } = way.client().sum({ early: '1' });
      call.on('error', () => undefined);
      call.write(Buffer.alloc(7));
      const { message, status } = await answer;
      expect([message?.toString(), status.code]).to.deep.equal(['1,7', Code.OK]);
    },
  },
  {
    title: 'both ways: each message is answered before the next is sent',
    async run(way) {
      const call = way.client().chat({ 'echo-text': 'a', 'trail-end': 'yes' });
      const end = outcome(call);
      for (const word of ['one', 'two', 'three']) {
        call.write(Buffer.from(word));
        expect((await nextMessage(call)).toString()).to.equal(word);
      }
      call.end();
      call.resume();
      const { head, status } = await end;
      expect([head?.get('echo-text'), status.code]).to.deep.equal([['a'], Code.OK]);
      expect(status.metadata.get('trail-end')).to.deep.equal(['yes']);
    },
  },
  {
    title: 'both ways: messages of 10 MB in both directions at once',
    async run(way) {
      const call = way.client().chat();
      const sent = Array.from({ length: 3 }, () => randomBytes(LARGE));
      const received = allMessages(call);
      for (const message of sent) call.write(message);
      call.end();
      expect((await received).map((message, index) => message.equals(sent[index] as Buffer))).to.deep.equal([
        true,
        true,
        true,
      ]);
    },
  },
  {
    title: 'a deadline: it ends on time at the client, and the application learns that nobody waits any more',
    async run(way) {
      const cancelled = way.app.process.untilPrinted(/^cancelled$/m, 'now');
      const client = way.client();
      // On a slow machine connecting alone may take longer than the deadline, and the application would never see the call.
      await client.say('first');
      const options = { deadline: Date.now() + DEADLINE_MS };
      const { status } = await client.unary(ECHO_METHODS.hold, 'x', {}, options);
      expect(status.code).to.equal(Code.DEADLINE_EXCEEDED);
      await cancelled;
      await way.app.release();
    },
  },
  {
    title: 'a cancel: the application learns of it',
    async run(way) {
      const [holding, cancelled] = [
        way.app.process.untilPrinted(/^holding$/m, 'now'),
        way.app.process.untilPrinted(/^cancelled$/m, 'now'),
      ];
      let cancel = (): void => undefined;
      const answer = way
        .client()
        .unary(ECHO_METHODS.hold, 'x', {}, {}, (call) => (cancel = (): void => void call.cancel()));
      await holding;
      cancel();
      expect((await answer).status.code).to.equal(Code.CANCELLED);
      await cancelled;
      await way.app.release();
    },
  },
  {
    title: 'a head of more than 16 KB, for which one frame is not enough',
    async run(way) {
      const client = way.client();
      const value = 'v'.repeat(4000);
      const names = Array.from({ length: 6 }, (_none, index) => `echo-long-${index}`);
      const { head, status } = await client.say('x', Object.fromEntries(names.map((name) => [name, value])));
      expect(status.code, status.details).to.equal(Code.OK);
      expect((head as Metadata).get('echo-long-5')).to.deep.equal([value]);
    },
  },
];
