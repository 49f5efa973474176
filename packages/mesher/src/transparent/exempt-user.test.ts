import { schemaDefaults, type Logger } from '@mesher/core';
import { expect } from 'chai';
import { becomeExempt, type ProcessIdentity } from './exempt-user.js';
import { transparentSchema, type TransparentOptions } from './transparent-schema.js';

/** A process whose ids can be changed as the kernel lets them: by root alone. */
class FakeProcess implements Required<ProcessIdentity> {
  readonly said: string[] = [];
  groups: readonly number[] = [];
  readonly logger: Logger;

  constructor(
    public uid: number,
    public gid: number,
    private readonly mayChange = true,
  ) {
    const say = (_: object, message: string): void => void this.said.push(message);
    this.logger = { debug: say, info: say, warn: say, error: say };
  }

  geteuid = (): number => this.uid;
  getegid = (): number => this.gid;
  seteuid = (id: number): void => void (this.uid = id);
  setuid = (id: number): void => void (this.uid = id);
  setgroups = (groups: readonly number[]): void => void (this.groups = groups);
  setgid = (id: number): void => {
    if (!this.mayChange) throw new Error('EPERM');
    this.gid = id;
  };
}

function become(identity: FakeProcess, options: Partial<TransparentOptions> = {}, reads: readonly string[] = []): void {
  becomeExempt({ ...schemaDefaults(transparentSchema), ...options }, { logger: identity.logger, reads, identity });
}

describe('the user of a sidecar in transparent mode', () => {
  it('becomes the one whom the rules leave alone, when root has started it', () => {
    const started = new FakeProcess(0, 0);
    become(started);
    expect([started.uid, started.gid, started.groups]).to.deep.equal([1337, 1337, [1337]]);
    expect(started.said).to.deep.equal([
      'started as root: goes on as the user and group whom rules of interception leave alone',
    ]);
    const other = new FakeProcess(0, 0);
    become(other, { user: 2000 });
    expect([other.uid, other.gid], 'the group is that of the user when none is named').to.deep.equal([2000, 2000]);
  });

  it('stays who it is when the rules leave it alone already', () => {
    for (const [uid, gid, options] of [
      [1337, 1000, {}],
      [0, 1337, {}],
      [0, 0, { user: 0 }],
    ] as const) {
      const started = new FakeProcess(uid, gid);
      become(started, options);
      expect([started.uid, started.gid, started.said]).to.deep.equal([uid, gid, []]);
    }
  });

  it('stays root in the group where root is needed: for TPROXY, and for files that the user may not read', () => {
    const tproxy = new FakeProcess(0, 0);
    become(tproxy, { interception: 'tproxy' });
    expect([tproxy.uid, tproxy.gid]).to.deep.equal([0, 1337]);
    const unread = new FakeProcess(0, 0);
    // Nobody may: a file is no folder.
    become(unread, {}, [`${import.meta.filename}/x`]);
    expect([unread.uid, unread.gid]).to.deep.equal([0, 1337]);
    expect(unread.said.join()).to.match(
      /^stays root, .*: the user may not read what this process needs; let it, or its group, read that$/,
    );
  });

  it('is told of when nothing can be done about it', () => {
    const ordinary = new FakeProcess(1000, 1000);
    become(ordinary);
    expect([ordinary.uid, ordinary.said.length]).to.deep.equal([1000, 1]);
    const bound = new FakeProcess(0, 0, false);
    expect(() => become(bound))
      .to.throw(/root may not join the group 1337/)
      .with.property('code', 'MESH_ERR_TRANSPARENT_USER');
    expect(bound.uid).to.equal(0);
  });
});
