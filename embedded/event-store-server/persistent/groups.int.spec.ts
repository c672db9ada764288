import { rmSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { eventually } from '../../../test/support/eventually.js';
import { NoRoomError } from '../../disk-room.js';
import { makeDataDir, openParts, type Parts, rejection } from '../store-fixture.js';
import { append, listening, numbered, settings, withoutRoom } from './group-fixture.js';
import { openGroups } from './groups.js';
import { loadGroups } from './stored-group.js';

const id = { stream: 's', group: 'g' };
const group = { ...id, settings, filter: undefined, startFrom: 'start' as const };

/** Room on the disk that is granted when the spec says so. */
function gated(deps: Parts) {
  let waiting: (() => void)[] = [];
  let isOpen = true;
  const using = async <T>(bytes: number, work: () => Promise<T>) => {
    if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
    return deps.room.using(bytes, work);
  };
  return {
    deps: { ...deps, room: { ...deps.room, using } },
    shut() {
      isOpen = false;
    },
    open() {
      isOpen = true;
      for (const resume of waiting) resume();
      waiting = [];
    },
    get waiting() {
      return waiting.length;
    },
  };
}

describe('the persistent subscriptions of a store', () => {
  let dataDir: string;
  let deps: Parts;
  beforeEach(async () => {
    dataDir = makeDataDir();
    deps = await openParts(dataDir);
  });
  afterEach(async () => {
    await deps.close();
    rmSync(dataDir, { recursive: true });
  });
  const stored = () => loadGroups(deps.storage);

  it('are changed one after the other: what is created while it is being deleted is there, with all its parts', async () => {
    await append(deps, numbered(3));
    const groups = openGroups(deps);
    await groups.create(group);
    const one = listening(9);
    groups.find(id).connect(one.consumer);
    groups.find(id).park(one.consumer, one.ids(), 'because');
    const changes = [
      groups.delete(id),
      groups.create(group),
      groups.update({ ...group, settings: { ...settings, maxRetryCount: 9 } }),
      rejection(groups.create(group)),
    ];
    await Promise.all(changes);
    expect(stored().map((each) => each.settings.maxRetryCount)).to.deep.equal([9]);
    expect(groups.list()).to.deep.equal([groups.find(id)]);
    expect(groups.find(id).parked.count()).to.equal(0);
    const two = listening(9);
    groups.find(id).connect(two.consumer);
    expect(two.types()).to.deep.equal(numbered(3));
    await groups.close();
  });

  it('keep the settings that were told last, whatever progress is being stored meanwhile', async () => {
    await append(deps, numbered(10));
    const gate = gated(deps);
    const groups = openGroups(gate.deps);
    await groups.create(group);
    const one = listening(9);
    groups.find(id).connect(one.consumer);
    gate.shut();
    groups.find(id).acknowledge(one.consumer, one.ids());
    await eventually('progress to be stored', () => gate.waiting === 1);
    const changed = groups.update({ ...group, settings: { ...settings, maxRetryCount: 9 } });
    await eventually('the settings to be stored', () => gate.waiting === 2);
    gate.open();
    await changed;
    await groups.close();
    expect(stored()).to.have.length(1);
    expect(stored()[0]).to.deep.include({ next: 9, settings: { ...settings, maxRetryCount: 9 } });
  });

  it('that cannot be stored are not there, for nobody', async () => {
    const groups = openGroups(withoutRoom(deps));
    expect(await rejection(groups.create(group))).to.be.instanceOf(NoRoomError);
    expect(() => groups.find(id)).to.throw();
    await groups.close();
    const gate = gated(deps);
    const others = openGroups(gate.deps);
    gate.shut();
    const creating = others.create(group);
    await eventually('it to be stored', () => gate.waiting === 1);
    expect(others.list()).to.deep.equal([]);
    gate.open();
    await creating;
    expect(others.list()).to.deep.equal([others.find(id)]);
    await others.close();
  });

  it('are as they were when a change cannot be stored', async () => {
    await append(deps, numbered(3));
    await openGroups(deps).create(group);
    const groups = openGroups(withoutRoom(deps));
    const one = listening(2);
    groups.find(id).connect(one.consumer);
    const failed = await rejection(groups.update({ ...group, settings: { ...settings, maxRetryCount: 9 } }));
    expect(failed).to.be.instanceOf(NoRoomError);
    expect([groups.find(id).stored.settings.maxRetryCount, one.ended.length]).to.deep.equal([2, 0]);
    expect(await rejection(groups.delete(id))).to.be.instanceOf(NoRoomError);
    expect(one.ended.map((err) => err?.code)).to.deep.equal([status.FAILED_PRECONDITION]);
    const two = listening(9);
    groups.find(id).connect(two.consumer);
    expect(two.types()).to.deep.equal(numbered(3));
    expect(stored()).to.have.length(1);
    await groups.close();
  });

  it('replay after a change of their start what was being replayed before it', async () => {
    await append(deps, numbered(5));
    const groups = openGroups(deps);
    const slow = { ...group, settings: { ...settings, minCheckpointCount: 100, maxCheckpointCount: 100 } };
    await groups.create(slow);
    const [parking, narrow, wide] = [listening(9), listening(1), listening(9)];
    const mine = groups.find(id);
    mine.connect(parking.consumer);
    mine.park(parking.consumer, parking.ids(), 'because');
    await eventually('all to be parked', () => mine.parked.count() === 5 && mine.waiting.outstanding === 0);
    mine.disconnect(parking.consumer);
    mine.connect(narrow.consumer);
    mine.replayParked(undefined);
    expect(mine.waiting).to.include({ read: 4, inFlight: 1 });
    await groups.update({ ...slow, startFrom: 5 });
    mine.connect(wide.consumer);
    expect(wide.types()).to.deep.equal(numbered(5));
    await groups.close();
  });
});
