import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../../test/support/eventually.js';
import { collect, type ProxiedLog, proposed, several, startProxiedLog, tally, verdictOf } from './log-fixture.js';

const timeoutMs = 400;

describe('the event log behind a faulty connection', () => {
  let faulty: ProxiedLog;
  let stream: string;
  let unhandled: unknown[];
  const note = (error: unknown) => unhandled.push(error);

  beforeEach(async () => {
    unhandled = [];
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
    stream = `thing-${randomUUID()}`;
    faulty = await startProxiedLog(timeoutMs);
    await faulty.eventLog.append(stream, several(3), 'no-stream');
  });
  afterEach(async () => {
    await faulty.close();
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    expect(unhandled).to.deep.equal([]);
  });

  const recovers = () =>
    eventually('an append that is answered', async () => {
      const verdict = await verdictOf(faulty.eventLog.append(`${stream}-${randomUUID()}`, several(1), 'no-stream'));
      return verdict === 'accepted';
    });

  describe('when the answer to an append is lost', () => {
    it('says in time that its outcome is unknown; a repeat finds out', async () => {
      const event = proposed(3);
      faulty.proxy.blackhole('to-client');
      const began = performance.now();
      expect(await verdictOf(faulty.eventLog.append(stream, [event], 2n))).to.equal('OutcomeUnknown');
      expect(performance.now() - began).to.be.within(timeoutMs - 5, timeoutMs + 1_500);
      await eventually('the event to be there', async () => {
        const last = await faulty.store.eventLog.readLast(stream);
        return last?.id === event.id;
      });
      faulty.proxy.heal();
      await recovers();
      expect(await faulty.eventLog.append(stream, [event], 2n)).to.deep.include({ revision: 3n });
      expect(await collect(faulty.eventLog.readStream(stream))).to.have.length(4);
    });
  });

  describe('when an append is lost on its way', () => {
    it('says that its outcome is unknown, and does not send it later', async () => {
      faulty.proxy.blackhole();
      expect(await verdictOf(faulty.eventLog.append(stream, several(1), 2n))).to.equal('OutcomeUnknown');
      faulty.proxy.heal();
      await recovers();
      expect(await collect(faulty.eventLog.readStream(stream))).to.have.length(3);
      expect(await verdictOf(faulty.eventLog.append(stream, several(1), 2n))).to.equal('accepted');
    });

    it('has a fresh connection at once, though nobody has heard of the old one dying', async () => {
      faulty.proxy.blackhole();
      const opened = faulty.proxy.opened();
      expect(await verdictOf(faulty.eventLog.append(stream, several(1), 2n))).to.equal('OutcomeUnknown');
      faulty.proxy.heal(false);
      await recovers();
      expect(faulty.proxy.opened()).to.be.greaterThan(opened);
    });
  });

  describe('when thousands of appends hang and are cut off', () => {
    it('answers each as unknown, faults nobody, and goes on', async () => {
      faulty.proxy.blackhole();
      const hanging = several(3_000, 1_000).map((event, n) =>
        verdictOf(faulty.eventLog.append(`${stream}-${n}`, [event], 'no-stream')),
      );
      expect(tally(await Promise.all(hanging))).to.deep.equal({ OutcomeUnknown: 3_000 });
      faulty.proxy.heal();
      await recovers();
      const again = several(300).map((event, n) =>
        verdictOf(faulty.eventLog.append(`${stream}-again-${n}`, [event], 'no-stream')),
      );
      expect(tally(await Promise.all(again))).to.deep.equal({ accepted: 300 });
    });
  });

  describe('when connections are reset under load', () => {
    it('has every acknowledged event, each once, in its place', async () => {
      let cutting = true;
      const acknowledged = new Map<string, string[]>();
      const writer = async (_: unknown, n: number) => {
        const name = `${stream}-w${n}`;
        const known: string[] = [];
        acknowledged.set(name, known);
        let event = proposed(0);
        for (;;) {
          const expected = known.length === 0 ? 'no-stream' : BigInt(known.length - 1);
          const verdict = await verdictOf(faulty.eventLog.append(name, [event], expected));
          // The very same bytes may be sent again: the store tells a repeat.
          if (verdict === 'OutcomeUnknown') continue;
          expect(verdict).to.equal('accepted');
          known.push(event.id);
          if (!cutting) return;
          event = proposed(known.length);
        }
      };
      const writers = Promise.all(Array.from({ length: 30 }, writer));
      for (let round = 0; round < 6; round += 1) {
        const before = [...acknowledged.values()].flat().length;
        await eventually('writers to get on', () => [...acknowledged.values()].flat().length > before + 100);
        faulty.proxy.reset();
      }
      cutting = false;
      await writers;
      for (const [name, known] of acknowledged) {
        const stored = await collect(faulty.store.eventLog.readStream(name));
        expect(stored.map(({ id }) => id)).to.deep.equal(known);
      }
    }).timeout(30_000);
  });

  describe('when the store is gone', () => {
    it('says so at once, and goes on with the same log when the store is back', async () => {
      await faulty.proxy.down();
      const began = performance.now();
      expect(await verdictOf(faulty.eventLog.append(stream, several(1), 2n))).to.equal('OutcomeUnknown');
      expect(await verdictOf(faulty.eventLog.head())).to.equal('LogUnavailable');
      expect(await verdictOf(collect(faulty.eventLog.readStream(stream)))).to.equal('LogUnavailable');
      expect(await verdictOf(collect(faulty.eventLog.readAll()))).to.equal('LogUnavailable');
      expect(performance.now() - began).to.be.lessThan(timeoutMs);
      await faulty.proxy.up();
      await recovers();
      expect(await verdictOf(faulty.eventLog.append(stream, several(1), 2n))).to.equal('accepted');
      expect(await collect(faulty.eventLog.readStream(stream))).to.have.length(4);
    }).timeout(20_000);
  });

  describe('a read that is cut', () => {
    const readOn = async (events: AsyncIterator<unknown>, count: number) => {
      for (let n = 0; n < count; n += 1) await events.next();
      const rest = async () => {
        for (let next = await events.next(); next.done !== true; ) next = await events.next();
      };
      return { rest };
    };

    beforeEach(async () => {
      for (let n = 0; n < 12; n += 1) {
        const expected = n === 0 ? 'no-stream' : BigInt(n * 500 - 1);
        await faulty.store.eventLog.append(`${stream}-long`, several(500, 1_000), expected);
      }
    });

    it('is an error, never a short stream: at a reset', async () => {
      const { rest } = await readOn(faulty.eventLog.readStream(`${stream}-long`)[Symbol.asyncIterator](), 5);
      faulty.proxy.reset();
      expect(await verdictOf(rest())).to.equal('LogUnavailable');
    });

    it('is an error, never a short stream: when nothing comes any more', async () => {
      const { rest } = await readOn(faulty.eventLog.readStream(`${stream}-long`)[Symbol.asyncIterator](), 5);
      faulty.proxy.blackhole();
      expect(await verdictOf(rest())).to.equal('LogUnavailable');
    });

    it('is an error, never a short stream: when an append beside it hangs', async () => {
      const { rest } = await readOn(faulty.eventLog.readStream(`${stream}-long`)[Symbol.asyncIterator](), 5);
      faulty.proxy.blackhole();
      expect(await verdictOf(faulty.eventLog.append(stream, several(1), 2n))).to.equal('OutcomeUnknown');
      expect(await verdictOf(rest())).to.equal('LogUnavailable');
    });

    it('takes its time where its reader does', async () => {
      const events = faulty.eventLog.readStream(`${stream}-long`)[Symbol.asyncIterator]();
      await events.next();
      await new Promise((resolve) => setTimeout(resolve, timeoutMs * 2));
      let count = 1;
      for (let next = await events.next(); next.done !== true; next = await events.next()) count += 1;
      expect(count).to.equal(6_000);
    });
  });
});
