import { expect } from 'chai';
import { batchesOf, collectBatches, mapBatches, oneBatch, Turns } from './pipeline.js';

/** Turns that are over at every look. */
class ShortTurns extends Turns {
  taken = 0;

  override isOver(): boolean {
    return true;
  }

  override next(): Promise<void> {
    this.taken++;
    return Promise.resolve();
  }
}

describe('work whose turn is over after every document', () => {
  const documents = Array.from({ length: 50 }, (_, at) => Buffer.of(at));
  let turns: ShortTurns;
  beforeEach(() => {
    turns = new ShortTurns(() => Number.POSITIVE_INFINITY);
  });

  it('lets others go between two documents that a scan finds', async () => {
    const found = documents.map((document, record) => ({ record, document }));
    for await (const batch of batchesOf(found, turns)) expect(batch).to.have.length(50);
    expect(turns.taken).to.equal(50);
  });

  it('lets others go between two documents that a stage makes', async () => {
    for await (const batch of mapBatches(oneBatch(documents), (document) => document, turns))
      expect(batch).to.have.length(50);
    expect(turns.taken).to.equal(50);
  });

  it('lets others go between two documents that a stage collects', async () => {
    const kept: Buffer[] = [];
    const collector = { add: (document: Buffer) => void kept.push(document), result: () => kept };
    for await (const batch of collectBatches(oneBatch(documents), collector, turns)) expect(batch).to.have.length(50);
    expect(turns.taken).to.equal(50);
  });
});
