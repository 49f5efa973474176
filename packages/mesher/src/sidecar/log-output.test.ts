import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { LogOutput } from './log-output.js';

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function rig(maxBacklog?: number) {
  const { time } = fakePorts();
  const seen = { text: '', errors: [] as unknown[], dropped: [] as number[], pauses: 0, tries: 0 };
  const destination: { error: Error | undefined; most: number } = { error: undefined, most: Infinity };
  const output = new LogOutput({
    write: (bytes) => {
      seen.tries++;
      if (destination.error !== undefined) throw destination.error;
      const taken = bytes.subarray(0, destination.most);
      seen.text += taken.toString();
      return taken.length;
    },
    timers: time,
    pause: () => seen.pauses++,
    onError: (error) => seen.errors.push(error),
    onDropped: (lines) => {
      seen.dropped.push(lines);
      output.write('report\n');
    },
    ...(maxBacklog === undefined ? {} : { maxBacklog }),
  });
  return { output, destination, seen, time };
}

describe('the log output', () => {
  it('writes a line at once, in pieces when the destination takes no more', () => {
    const { output, destination, seen } = rig();
    destination.most = 2;
    output.write('ready\n');
    expect(seen.text).to.equal('ready\n');
  });

  it('keeps lines in order while nobody reads, and writes them when somebody does', () => {
    const { output, destination, seen, time } = rig();
    destination.error = failure('EAGAIN');
    output.write('a\n');
    output.write('b\n');
    destination.error = undefined;
    output.write('c\n');
    time.advance(50);
    expect(seen.text).to.equal('a\nb\nc\n');
    expect(seen.dropped).to.deep.equal([]);
  });

  it('loses lines beyond the backlog, and tells how many once it can', () => {
    const { output, destination, seen, time } = rig(8);
    destination.error = failure('EAGAIN');
    for (const line of ['aaa\n', 'bbb\n', 'ccc\n', 'ddd\n']) output.write(line);
    destination.error = undefined;
    time.advance(50);
    expect(seen.text).to.equal('aaa\nbbb\nreport\n');
    expect(seen.dropped).to.deep.equal([2]);
  });

  it('goes on when the disk is full, reports it once, and writes again when there is room', () => {
    const { output, destination, seen } = rig();
    destination.error = failure('ENOSPC');
    output.write('a\n');
    output.write('b\n');
    expect(seen.errors).to.have.lengthOf(1);
    destination.error = undefined;
    output.write('c\n');
    expect(seen.text).to.equal('c\nreport\n');
    expect(seen.dropped).to.deep.equal([2]);
  });

  it('does not try again when the reader has gone', () => {
    const { output, destination, seen } = rig();
    destination.error = failure('EPIPE');
    output.write('a\n');
    output.write('b\n');
    expect(seen.tries).to.equal(1);
    expect(seen.errors).to.have.lengthOf(1);
  });

  it('gives up at the end after a second of a reader that is stalled', () => {
    const { output, destination, seen } = rig();
    destination.error = failure('EAGAIN');
    output.write('a\n');
    output.flush();
    expect(seen.pauses).to.be.within(1, 20);
    expect(seen.text).to.equal('');
  });
});
