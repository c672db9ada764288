import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { startTestLog, type TestLog } from '../../test/support/stores.js';
import { silentLogger } from '../logger.js';
import { type EventLog, openEventLog, RevisionConflict } from './event-log.js';
import { collect, numberOf, proposed, several, tally, verdictOf } from './log-fixture.js';

async function conflictOf(promise: Promise<unknown>): Promise<RevisionConflict> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RevisionConflict) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the event log', () => {
  let store: TestLog;
  let log: EventLog;
  let stream: string;
  before(async () => {
    store = await startTestLog();
    log = store.eventLog;
  });
  after(() => store.close());
  beforeEach(() => {
    stream = `thing-${randomUUID()}`;
  });

  describe('appending', () => {
    it('creates a stream and goes on from its last revision', async () => {
      const created = await log.append(stream, several(3), 'no-stream');
      expect(created.revision).to.equal(2n);
      const next = await log.append(stream, several(2), 2n);
      expect(next.revision).to.equal(4n);
      expect(next.position).to.equal(created.position + 2n);
    });

    it('gives back what was stored, in its place', async () => {
      const event = { ...proposed(7), data: { text: 'Ærø 🚲', list: [1, null, { deep: true }], n: 7 } };
      const { position } = await log.append(stream, [event], 'no-stream');
      const [stored] = await collect(log.readStream(stream));
      expect(stored?.recordedAt.getTime()).to.be.closeTo(Date.now(), 60_000);
      expect({ ...stored, recordedAt: undefined }).to.deep.equal({
        ...event,
        stream,
        revision: 0n,
        position,
        recordedAt: undefined,
      });
    });

    it('refuses to create what exists, and says where it stands', async () => {
      await log.append(stream, several(3), 'no-stream');
      const conflict = await conflictOf(log.append(stream, several(1), 'no-stream'));
      expect(conflict).to.include({ stream, actual: 2n });
    });

    it('refuses an older and a newer revision than the last', async () => {
      await log.append(stream, several(3), 'no-stream');
      expect((await conflictOf(log.append(stream, several(1), 1n))).actual).to.equal(2n);
      expect((await conflictOf(log.append(stream, several(1), 9n))).actual).to.equal(2n);
      expect(await collect(log.readStream(stream))).to.have.length(3);
    });

    it('refuses a revision of a stream that does not exist', async () => {
      expect((await conflictOf(log.append(stream, several(1), 0n))).actual).to.equal(undefined);
    });

    it('answers a repeat of the very same events as the first time, and stores them once', async () => {
      const events = several(2);
      const first = await log.append(stream, events, 'no-stream');
      expect(await log.append(stream, events, 'no-stream')).to.deep.equal(first);
      expect(await collect(log.readStream(stream))).to.have.length(2);
    });

    it('refuses what is larger than the store takes, and takes the next append', async () => {
      expect(await verdictOf(log.append(stream, several(1, 1_100_000), 'no-stream'))).to.equal('AppendTooLarge');
      expect(await verdictOf(log.append(stream, several(7, 900_000), 'no-stream'))).to.equal('AppendTooLarge');
      expect(await verdictOf(log.append(stream, several(20, 900_000), 'no-stream'))).to.equal('AppendTooLarge');
      expect(await verdictOf(log.append(stream, several(1), 'no-stream'))).to.equal('accepted');
    });

    it('refuses for good what the store will never take', async () => {
      expect(await verdictOf(log.append('', several(1), 'no-stream'))).to.equal('LogUnavailable');
      const noId = { ...proposed(1), id: 'no uuid' };
      expect(await verdictOf(log.append(stream, [noId], 'no-stream'))).to.equal('LogUnavailable');
      expect(await verdictOf(log.append(stream, several(1), 'no-stream'))).to.equal('accepted');
    });

    it('takes five hundred appends in the first tick of a fresh log', async () => {
      const fresh = openEventLog(store.url, silentLogger);
      const appends = several(500).map((event, n) => fresh.append(`${stream}-${n}`, [event], 'no-stream'));
      expect(tally(await Promise.all(appends.map(verdictOf)))).to.deep.equal({ accepted: 500 });
      await fresh.close();
    });

    it('lets one of a hundred win the same place', async () => {
      await log.append(stream, several(1), 'no-stream');
      const rivals = Array.from({ length: 100 }, (_, n) => log.append(stream, [proposed(n)], 0n));
      expect(tally(await Promise.all(rivals.map(verdictOf)))).to.deep.equal({ accepted: 1, RevisionConflict: 99 });
    });

    it('leaves what another log of the process has in flight alone when it is closed', async () => {
      const other = openEventLog(store.url, silentLogger);
      await other.append(`${stream}-other`, several(1), 'no-stream');
      const inFlight = several(200).map((event, n) => verdictOf(log.append(`${stream}-${n}`, [event], 'no-stream')));
      await other.close();
      expect(tally(await Promise.all(inFlight))).to.deep.equal({ accepted: 200 });
    });
  });

  describe('reading a stream', () => {
    it('gives nothing where there is none', async () => {
      expect(await collect(log.readStream(stream))).to.deep.equal([]);
      expect(await log.readLast(stream)).to.equal(undefined);
    });

    it('begins at a revision, ends after a count', async () => {
      await log.append(stream, several(600), 'no-stream');
      expect((await collect(log.readStream(stream, 597n))).map(numberOf)).to.deep.equal([597, 598, 599]);
      expect((await collect(log.readStream(stream, 3n, 2))).map(numberOf)).to.deep.equal([3, 4]);
      expect(await collect(log.readStream(stream, 600n))).to.deep.equal([]);
      expect((await collect(log.readStream(stream))).map(numberOf)).to.deep.equal(several(600).map((_, n) => n));
    });

    it('gives the last event', async () => {
      await log.append(stream, several(3), 'no-stream');
      expect(await log.readLast(stream)).to.deep.include({ revision: 2n, data: { n: 2 } });
    });

    it('may be left early', async () => {
      await log.append(stream, several(600, 500), 'no-stream');
      for (let round = 0; round < 20; round += 1) {
        for await (const event of log.readStream(stream)) if (event.revision === 1n) break;
      }
      expect(await collect(log.readStream(stream))).to.have.length(600);
    });

    it('does not begin before its first event is asked for', async () => {
      await log.append(stream, several(1), 'no-stream');
      const events = log.readStream(stream);
      await log.append(stream, several(1), 0n);
      expect(await collect(events)).to.have.length(2);
    });
  });

  describe('reading the whole log', () => {
    it('gives every event in order of position, system events left out', async () => {
      const { position: before } = await log.append(stream, several(2), 'no-stream');
      await log.keepLast(`checkpoint-${stream}`, 1);
      const { position } = await log.append(`${stream}-b`, several(1), 'no-stream');
      const after = await collect(log.readAll(before));
      expect(after.map((event) => [event.stream, event.position])).to.deep.equal([[`${stream}-b`, position]]);
      expect(await log.head()).to.equal(position);
      const all = (await collect(log.readAll())).map((event) => event.position);
      expect(all).to.deep.equal([...all].sort((a, b) => Number(a - b)));
      expect(all.at(-1)).to.equal(position);
    });

    it('gives nothing after the head', async () => {
      expect(await collect(log.readAll(await log.head()))).to.deep.equal([]);
    });

    it('has its head at 0 while it is empty', async () => {
      const empty = await startTestLog();
      expect(await empty.eventLog.head()).to.equal(0n);
      expect(await collect(empty.eventLog.readAll())).to.deep.equal([]);
      await empty.close();
    });
  });

  describe('a side stream', () => {
    it('takes appends at any revision and keeps the last few', async () => {
      await log.keepLast(stream, 3);
      for (let n = 0; n < 10; n += 1) await log.appendSide(stream, proposed(n));
      expect((await collect(log.readStream(stream))).map(numberOf)).to.deep.equal([7, 8, 9]);
      expect(await log.readLast(stream)).to.deep.include({ revision: 9n });
    });
  });

  describe('once closed', () => {
    it('refuses appends and reads, and ends a read in flight with an error', async () => {
      await log.append(stream, several(800, 500), 'no-stream');
      const fresh = openEventLog(store.url, silentLogger);
      const reading = fresh.readStream(stream)[Symbol.asyncIterator]();
      await reading.next();
      await fresh.close();
      const rest = async () => {
        for (let next = await reading.next(); next.done !== true; ) next = await reading.next();
      };
      expect(await verdictOf(rest())).to.equal('LogUnavailable');
      expect(await verdictOf(fresh.append(stream, several(1), 799n))).to.equal('LogUnavailable');
      expect(await verdictOf(fresh.head())).to.equal('LogUnavailable');
    });
  });
});
