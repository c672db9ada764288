import { expect } from 'chai';
import fc from 'fast-check';
import { eventCatalog } from '../domain/event-catalog.js';
import type { Positioned } from '../runtime/document-store/positioned.js';
import type { StoredEvent } from '../runtime/event-store/event-log.js';
import { allProjections } from './all-projections.js';
import { batchDecoder } from './decode-batch.js';
import { foldDocuments, touchedDocuments } from './fold-batch.js';
import { ordersProjection } from './orders/orders.js';
import { knownParking, type ParkedEvent } from './parking/parking.js';
import type { Projection } from './projection.js';
import { type AnyEvent, asStored, idFor, orderOf } from './spec-histories.js';
import { cancelledOrder, confirmedOrder, declinedOrder, openedShop, soldProduct } from './spec-stories.js';

/** A collection in memory, guarded by position as the real one is, and what is parked beside it. */
function memory() {
  const documents = new Map<string, Positioned>();
  const parking = knownParking();
  let writes = 0;
  return {
    documents,
    parking,
    writes: () => writes,
    /** @returns what is parked by the batch */
    apply(projection: Projection, batch: readonly StoredEvent[]): readonly ParkedEvent[] {
      const touched = touchedDocuments(projection, batch, batchDecoder(eventCatalog), parking);
      const folded = foldDocuments(projection, documents, touched.events);
      for (const document of folded.documents) {
        const stored = documents.get(document._id);
        if (stored !== undefined && stored.position >= document.position) continue;
        documents.set(document._id, document);
        writes += 1;
      }
      const parked = [...touched.parked, ...folded.parked];
      parking.add(parked.map((event) => ({ ...event, discarded: false })));
      return parked;
    },
  };
}

function atOnce(projection: Projection, log: readonly StoredEvent[]) {
  const store = memory();
  store.apply(projection, log);
  return store.documents;
}

/** Several histories woven into one log, each in its own order. */
const logs = fc
  .record({
    histories: fc.array(fc.constantFrom(confirmedOrder, declinedOrder, cancelledOrder, soldProduct, openedShop), {
      minLength: 1,
      maxLength: 5,
    }),
    picks: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  })
  .map(({ histories, picks }) => {
    const queues = histories.map((history, index) => [...history(`h${index % 3}`)]);
    const woven: AnyEvent[] = [];
    for (const pick of picks) {
      const waiting = queues.filter((queue) => queue.length > 0);
      const next = waiting[pick % Math.max(1, waiting.length)]?.shift();
      if (next !== undefined) woven.push(next);
    }
    return asStored(woven);
  });

/** Where a log is cut into batches, and how often each of them comes. */
const deliveries = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 12 }), times: fc.integer({ min: 1, max: 3 }) }),
  {
    minLength: 60,
    maxLength: 60,
  },
);

/** Says which events a document has seen. */
const picky: Projection = {
  model: ordersProjection.model,
  types: ordersProjection.types,
  ids: (event) => [String((event.data as { order_id: string }).order_id)],
  evolve: (document, event) => ({ seen: [...((document as { seen?: string[] } | undefined)?.seen ?? []), event.type] }),
};
/** Cannot fold the payment of one order. */
const poisoned: Projection = {
  ...picky,
  evolve(document, event, id) {
    if (event.type === 'order.paid' && id === idFor('order', 'a')) throw new Error('Jane Doe cannot be folded');
    return picky.evolve(document, event, id);
  },
};

for (const projection of allProjections) {
  describe(`batches of ${projection.model.name}`, () => {
    it('may be cut anywhere and come up to three times', () => {
      fc.assert(
        fc.property(logs, deliveries, (log, plan) => {
          const store = memory();
          let at = 0;
          for (const { size, times } of plan) {
            for (let time = 0; time < times; time += 1) store.apply(projection, log.slice(at, at + size));
            at += size;
          }
          expect(at).to.be.at.least(log.length);
          expect(store.documents).to.deep.equal(atOnce(projection, log));
        }),
        { numRuns: 150 },
      );
    });

    it('may come again from any earlier checkpoint, as after a crash before the checkpoint was stored', () => {
      fc.assert(
        fc.property(logs, fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { maxLength: 6 }), (log, crashes) => {
          const store = memory();
          let checkpoint = 0;
          for (const [reached, kept] of crashes) {
            const upTo = Math.max(checkpoint, Math.min(reached, log.length));
            store.apply(projection, log.slice(checkpoint, upTo));
            checkpoint += kept % (upTo - checkpoint + 1);
          }
          store.apply(projection, log.slice(checkpoint));
          expect(store.documents).to.deep.equal(atOnce(projection, log));
        }),
        { numRuns: 150 },
      );
    });

    it('never change what they were given', () => {
      const log = asStored([...confirmedOrder('a'), ...declinedOrder('b'), ...soldProduct('a'), ...openedShop('a')]);
      const frozen = (value: unknown): unknown => {
        if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
        return value;
      };
      const store = memory();
      for (const stored of log) {
        frozen(stored.data);
        for (const document of store.documents.values()) frozen(document);
        expect(store.apply(projection, [stored])).to.deep.equal([]);
      }
      expect(store.documents.size).to.be.greaterThan(0);
    });
  });
}

describe('a batch', () => {
  it('writes each document once, whatever number of its events it holds', () => {
    const store = memory();
    store.apply(ordersProjection, asStored([...confirmedOrder('a'), ...declinedOrder('b')]));
    expect(store.writes()).to.equal(2);
  });

  it('writes nothing when it comes again', () => {
    const store = memory();
    const log = asStored(confirmedOrder('a'));
    store.apply(ordersProjection, log);
    store.apply(ordersProjection, log);
    expect(store.writes()).to.equal(1);
  });

  it('keeps positions that a double cannot hold', () => {
    const [created, paid] = asStored([orderOf('a').created(), orderOf('a').paid()]);
    if (created === undefined || paid === undefined) throw new Error('no events');
    const large = 2n ** 60n;
    const store = memory();
    store.apply(ordersProjection, [{ ...created, position: large }]);
    store.apply(ordersProjection, [{ ...paid, position: large + 1n }]);
    expect([...store.documents.values()][0]).to.deep.include({ position: large + 1n, status: 'paid' });
  });

  it('passes by what the projection does not fold, unread', () => {
    const [event] = asStored(soldProduct('a'));
    if (event === undefined) throw new Error('no event');
    const broken: StoredEvent = { ...event, data: { nonsense: true } };
    const unknown: StoredEvent = { ...event, type: 'order.teleported', data: { nonsense: true } };
    expect(memory().apply(ordersProjection, [broken, unknown])).to.deep.equal([]);
  });

  describe('with an event that cannot be read', () => {
    const log = asStored([...confirmedOrder('a'), ...declinedOrder('b')]);
    const broken = (change: (event: StoredEvent) => StoredEvent) =>
      log.map((event) => (event.type === 'order.paid' ? change(event) : event));
    const cases: readonly [string, string, (event: StoredEvent) => StoredEvent][] = [
      ['data that does not fit', 'event-data-invalid', (e) => ({ ...e, data: { ...e.data, amount: 'lots' } })],
      ['a newer version', 'event-version-newer', (e) => ({ ...e, metadata: { ...e.metadata, event_version: 99 } })],
      ['no version', 'event-version-invalid', (e) => ({ ...e, metadata: { occurred_at: '2026-01-05T09:00:00Z' } })],
      ['no time', 'event-metadata-invalid', (e) => ({ ...e, metadata: { event_version: 1 } })],
    ];
    for (const [what, code, change] of cases) {
      it(`such as ${what}, parks its stream, and folds all other streams`, () => {
        const store = memory();
        const batch = broken(change);
        const poison = batch.find((event) => event.type === 'order.paid');
        if (poison === undefined) throw new Error('no poison');
        const parked = store.apply(ordersProjection, batch);
        const held = batch.filter(({ stream, position }) => stream === poison.stream && position >= poison.position);
        expect(parked.map(({ position }) => position)).to.deep.equal(held.map(({ position }) => position));
        expect(parked[0]).to.deep.include({ kind: 'stream', key: poison.stream, eventType: 'order.paid' });
        expect(parked.map(({ fault }) => fault?.code)).to.deep.equal([code, ...held.slice(1).map(() => undefined)]);
        const rest = batch.filter((event) => !held.includes(event));
        expect(store.documents).to.deep.equal(atOnce(ordersProjection, rest));
      });
    }
  });

  it('parks the stream of an event of which it cannot be said where it belongs', () => {
    const lost: Projection = {
      ...picky,
      ids(event) {
        if (event.type === 'order.paid') throw new Error('Jane Doe cannot be found');
        return picky.ids(event);
      },
      evolve: () => ({}),
    };
    const log = asStored([...confirmedOrder('a'), ...declinedOrder('b')]);
    const parked = memory().apply(lost, log);
    expect(parked.map(({ kind, eventType }) => [kind, eventType])).to.deep.equal([
      ['stream', 'order.paid'],
      ['stream', 'order.confirmed'],
    ]);
    expect(parked[0]?.fault?.code).to.equal('projection-ids-failed');
    expect(parked[0]?.fault?.message).not.to.contain('Jane');
  });

  describe('with an event on which evolve throws', () => {
    const log = asStored([...confirmedOrder('a'), ...declinedOrder('b'), ...confirmedOrder('c')]);
    const ofA = ({ data }: StoredEvent) => data['order_id'] === idFor('order', 'a');
    const poison = log.find((event) => event.type === 'order.paid' && ofA(event));
    const known = log.filter(({ type }) => picky.types.has(type));
    const waits = known.filter((event) => ofA(event) && event.position >= (poison?.position ?? 0n));
    const expected = () =>
      atOnce(
        picky,
        known.filter((event) => !waits.includes(event)),
      );

    it('parks its document from there on, in order, and folds all others', () => {
      const store = memory();
      const parked = store.apply(poisoned, log);
      expect(parked.map(({ position }) => position)).to.deep.equal(waits.map(({ position }) => position));
      expect(parked[0]).to.deep.include({ kind: 'document', key: idFor('order', 'a') });
      expect(parked[0]?.fault?.code).to.equal('projection-evolve-failed');
      expect(parked[0]?.fault?.message).not.to.contain('Jane');
      expect(store.documents).to.deep.equal(expected());
    });

    it('parks the same whatever the batches, and however often they come', () => {
      fc.assert(
        fc.property(deliveries, (plan) => {
          const store = memory();
          const parked = new Set<bigint>();
          let at = 0;
          for (const { size, times } of plan) {
            for (let time = 0; time < times; time += 1) {
              for (const { position } of store.apply(poisoned, log.slice(at, at + size))) parked.add(position);
            }
            at += size;
          }
          expect([...parked]).to.deep.equal(waits.map(({ position }) => position));
          expect(store.documents).to.deep.equal(expected());
        }),
        { numRuns: 50 },
      );
    });

    it('folds what comes before it again where the document is gone, and parks nothing twice', () => {
      const store = memory();
      store.apply(poisoned, log);
      const count = store.parking.count();
      store.documents.clear();
      store.apply(poisoned, log);
      expect(store.documents).to.deep.equal(expected());
      expect(store.parking.count())
        .to.deep.equal(count)
        .and.to.deep.equal({ documents: 1, streams: 0, events: waits.length });
    });

    it('passes over what was discarded', () => {
      if (poison === undefined) throw new Error('no poison');
      const store = memory();
      store.parking.add([{ kind: 'document', key: idFor('order', 'a'), position: poison.position, discarded: true }]);
      expect(store.apply(poisoned, log)).to.deep.equal([]);
      expect(store.documents).to.deep.equal(
        atOnce(
          picky,
          log.filter((event) => event !== poison),
        ),
      );
    });
  });
});
