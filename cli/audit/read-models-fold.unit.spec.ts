import { expect } from 'chai';
import { eventCatalog } from '../../domain/event-catalog.js';
import { batchDecoder } from '../../projections/decode-batch.js';
import { ordersProjection } from '../../projections/orders/orders.js';
import { productSearchProjection } from '../../projections/product-search/product-search.js';
import type { Projection } from '../../projections/projection.js';
import type { AnyEvent } from '../../projections/spec-histories.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { recorded, storyOf } from './audit-fixture.js';
import { modelFold, type ParkedPlace } from './model-fold.js';
import { readModelsFold } from './read-models-fold.js';

const orders = 'orders-v1';
const decode = batchDecoder(eventCatalog);
const eventOf = (stored: StoredEvent) => {
  const decoded = decode(stored);
  return 'event' in decoded ? decoded.event : undefined;
};

/** The documents of the read model of orders as a projector would store them after these events. */
function documentsAfter(events: readonly StoredEvent[]): Positioned[] {
  const fold = modelFold(ordersProjection as Projection, []);
  for (const stored of events) {
    const event = eventOf(stored);
    if (event !== undefined) fold.take(event, fold.idsOf(stored, event));
  }
  return [...fold.documents].map(([_id, { body, position }]) => ({ _id, ...body, position }));
}

async function found(
  log: readonly StoredEvent[],
  documents: readonly Positioned[],
  { upTo = log.at(-1)?.position ?? 0n, parked = [] as ParkedPlace[] } = {},
) {
  const check = readModelsFold([ordersProjection as Projection], new Map([[orders, upTo]]), parked);
  for (const stored of log) check.take(stored, eventOf(stored));
  await check.compare(async function* () {
    yield* documents;
  });
  const range = check.further();
  for (const stored of log) {
    if (range !== undefined && stored.position > range.after && stored.position <= range.upTo) {
      check.takeFurther(stored, eventOf(stored));
    }
  }
  return check.finding();
}

describe('I9, read models are folds of the log', () => {
  const [a, b] = [storyOf('a'), storyOf('b')];
  const events: AnyEvent[] = [...a.confirmedOrder, ...b.declinedOrder];
  const log = recorded(events);
  const documents = documentsAfter(log);
  const [first, second] = documents as [Positioned, Positioned];

  it('holds for the documents that the log makes, in whatever order their keys are', async () => {
    const turned = documents.map((document) => Object.fromEntries(Object.entries(document).reverse()) as Positioned);
    const { violations, counts } = await found(log, turned);
    expect(violations).to.equal(0);
    expect(counts).to.deep.equal({ documents: 2, 'while they changed': 0, parked: 0 });
  });

  it('is violated by a field that differs, and names document and field', async () => {
    const { items } = first as unknown as { items: { quantity: number }[] };
    const wrong = { ...first, items: [items[0], { ...items[1], quantity: 3 }] };
    const { violations, first: seen } = await found(log, [wrong as Positioned, second]);
    expect(violations).to.equal(1);
    expect(seen).to.deep.equal({ where: `orders-v1 ${a.order_id}, items.1.quantity`, expected: '2', seen: '3' });
  });

  it('is violated by a document too many and by one too few', async () => {
    const extra = { ...first, _id: 'nobody' };
    expect((await found(log, [...documents, extra])).first).to.include({ expected: 'no such document' });
    expect((await found(log, [first])).first).to.include({ where: `orders-v1 ${b.order_id}`, seen: 'none' });
  });

  it('is violated by a document that has not seen its last event', async () => {
    const behind = documentsAfter(log.filter(({ type, stream }) => type !== 'order.failed' || stream === ''));
    expect((await found(log, behind)).first?.where).to.match(new RegExp(`^orders-v1 ${b.order_id}, failure`));
  });

  it('compares where the projection is, not where the log is', async () => {
    const earlier = log.slice(0, 9);
    const upTo = earlier.at(-1)?.position ?? 0n;
    expect(await found(log, documentsAfter(earlier), { upTo })).to.deep.include({ violations: 0 });
    expect((await found(log, documentsAfter(earlier))).violations).to.be.greaterThan(0);
  });

  it('compares a document that has seen more at its own position', async () => {
    const upTo = log[5]?.position ?? 0n;
    const { violations, counts } = await found(log, documents, { upTo });
    expect(violations).to.equal(0);
    expect(counts).to.include({ documents: 2, 'while they changed': 2 });
    const wrong = [{ ...first, total: 1 }, second];
    expect((await found(log, wrong, { upTo })).first?.where).to.equal(`orders-v1 ${a.order_id}, total`);
  });

  it('leaves a parked document at the event before the one it was parked at', async () => {
    const failed = log.find(({ type }) => type === 'order.failed');
    const position = failed?.position ?? 0n;
    const parked = [{ model: orders, document: b.order_id, stream: undefined, position }];
    const stayed = documentsAfter(log.filter((stored) => stored.position < position));
    const { violations, counts } = await found(log, stayed, { parked });
    expect(violations).to.equal(0);
    expect(counts).to.include({ parked: 1 });
    expect((await found(log, documents, { parked })).first?.where).to.contain(`orders-v1 ${b.order_id}`);
    expect((await found(log, stayed)).violations).to.equal(1);
  });

  it('leaves out a discarded event alone, of a document and of a stream', async () => {
    const paid = log.find(({ type }) => type === 'order.paid');
    const { position = 0n, stream } = paid ?? {};
    const passedOver = documentsAfter(log.filter((stored) => stored !== paid));
    for (const key of [
      { document: a.order_id, stream: undefined },
      { document: undefined, stream },
    ]) {
      const parked = [{ model: orders, ...key, position, alone: true }];
      expect((await found(log, passedOver, { parked })).violations).to.equal(0);
      expect((await found(log, documents, { parked })).violations).to.equal(1);
    }
  });

  it('leaves out what a parked stream would have said', async () => {
    const failed = log.find(({ type }) => type === 'order.failed');
    const { position = 0n, stream } = failed ?? {};
    const parked = [{ model: orders, document: undefined, stream, position }];
    const stayed = documentsAfter(log.filter((stored) => stored.stream !== stream || stored.position < position));
    expect((await found(log, stayed, { parked })).violations).to.equal(0);
    expect((await found(log, stayed)).violations).to.equal(1);
  });

  it('is violated by an event that a projection cannot take in and has not parked', async () => {
    const throwing: Projection = {
      ...(productSearchProjection as Projection),
      types: new Set(['order.failed']),
      ids: () => ['one'],
      evolve: () => {
        throw new Error('poison');
      },
    };
    const upTo = new Map([[readModelId(throwing.model), 100_000n]]);
    const check = readModelsFold([throwing], upTo, []);
    for (const stored of log) check.take(stored, eventOf(stored));
    expect(check.finding().first).to.include({ seen: 'poison' });
  });
});
