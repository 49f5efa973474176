import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { fakePorts, settle, type FakeTime } from '../testing/fake-ports.js';
import { httpInstance } from '../testing/instances.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { ScriptedRegistrator, type RegistratorBehaviour } from '../testing/scripted-registrator.js';
import { Registration } from './registration.js';

const SELF = httpInstance('10.0.0.1:30101', { service: 'orders' });

interface Rig {
  readonly registration: Registration;
  readonly registrator: ScriptedRegistrator;
  readonly time: FakeTime;
  readonly logger: RecordingLogger;
}

function rig(behaviour: RegistratorBehaviour = {}): Rig {
  const { time, ...ports } = fakePorts();
  const registrator = new ScriptedRegistrator(behaviour);
  const logger = new RecordingLogger();
  return {
    registration: new Registration(registrator, ports, logger, { leaveTimeout: 5_000 }),
    registrator,
    time,
    logger,
  };
}

describe('the registration of the local instance', () => {
  it('registers, and leaves by releasing the lease', async () => {
    const { registration, registrator, time } = rig();
    await registration.register(SELF);
    expect(registrator.last.self).to.equal(SELF);
    await registration.leave();
    expect(registrator.last.isReleased).to.equal(true);
    expect(time.pendingTimers).to.equal(0);
  });

  it('refuses a second registration until it has left', async () => {
    const { registration, registrator } = rig();
    await registration.register(SELF);
    expect(() => registration.register(SELF))
      .to.throw()
      .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_REGISTERED'));
    await registration.leave();
    await registration.register(SELF);
    expect(registrator.registrations).to.have.lengthOf(2);
  });

  it('can be tried again after the registry refused for good', async () => {
    const { registration, registrator } = rig({ grants: false });
    const refused = registration.register(SELF);
    registrator.last.refuse(new Error('no such project'));
    expect(await refused.catch((error: Error) => error.message)).to.equal('no such project');
    const granted = registration.register(SELF);
    registrator.last.grant();
    await granted;
  });

  it('turns a registrator that throws into a rejection', async () => {
    const throwing = {
      name: 'throwing',
      register: () => {
        throw new Error('not connected');
      },
    };
    const registration = new Registration(throwing, fakePorts(), new RecordingLogger());
    expect(await registration.register(SELF).catch((error: Error) => error.message)).to.equal('not connected');
    await registration.leave();
  });

  it('has nothing to do when it leaves without having registered', async () => {
    const { registration, registrator } = rig();
    await registration.leave();
    expect(registrator.registrations).to.deep.equal([]);
  });

  it('leaves once, however often it is told to', async () => {
    const { registration, registrator } = rig();
    await registration.register(SELF);
    registrator.last.holdsRelease = true;
    const leaving = registration.leave();
    expect(registration.leave()).to.equal(leaving);
  });

  it('gives up a registration that is still under way', async () => {
    const { registration, registrator, time } = rig({ grants: false });
    const lease = registration.register(SELF).catch((error: unknown) => error);
    await registration.leave();
    expect(registrator.last.signal.aborted).to.equal(true);
    expect(await lease).to.be.an.instanceof(Error);
    expect(time.pendingTimers).to.equal(0);
  });

  it('does not wait longer than leaveTimeout for a registry that does not answer, and releases a lease that comes after all', async () => {
    const { registration, registrator, time, logger } = rig({ grants: false, heedsSignal: false });
    void registration.register(SELF);
    let hasLeft = false;
    const leaving = registration.leave().then(() => (hasLeft = true));
    await time.advanceAsync(4_999);
    expect(hasLeft).to.equal(false);
    await time.advanceAsync(1);
    await leaving;
    expect(logger.messages('warn')).to.deep.equal([
      'the registry did not answer while leaving; the lease will run out',
    ]);
    expect(time.pendingTimers).to.equal(0);
    registrator.last.grant();
    await settle();
    expect(registrator.last.isReleased).to.equal(true);
  });

  it('releases a lease that was granted in the moment of leaving', async () => {
    const { registration, registrator } = rig({ grants: false, heedsSignal: false });
    void registration.register(SELF);
    const leaving = registration.leave();
    registrator.last.grant();
    await leaving;
    expect(registrator.last.isReleased).to.equal(true);
  });

  it('does not wait longer than leaveTimeout for a release', async () => {
    const { registration, registrator, time } = rig();
    await registration.register(SELF);
    registrator.last.holdsRelease = true;
    const leaving = registration.leave();
    await time.advanceAsync(5_000);
    await leaving;
  });

  it('reports a release that fails, and has left all the same', async () => {
    const { registration, registrator, logger } = rig();
    await registration.register(SELF);
    registrator.last.releaseError = new Error('disk full');
    await registration.leave();
    expect(logger.lines).to.have.lengthOf(1);
    expect(logger.lines[0]?.fields.error).to.equal(registrator.last.releaseError);
  });
});
