import { expect } from 'chai';
import { logOf, recorded, storyOf } from './audit-fixture.js';
import { whenReached } from './reached.js';
import type { ReadModels } from './read-models.js';

describe('waiting for read models', () => {
  const log = logOf(recorded(storyOf('a').held));
  const head = 500n;
  /** Checkpoints as they are found, one look after the other; the last one stays. */
  const models = (...found: readonly Readonly<Record<string, bigint>>[]): ReadModels => {
    let looks = 0;
    return {
      checkpoints: async () => new Map(Object.entries(found[Math.min(looks++, found.length - 1)] ?? {})),
      async *documents() {},
      parked: async () => [],
    };
  };
  const reached = async (readModels: ReadModels, waitMs: number, upTo = head) =>
    Object.fromEntries(await whenReached(log, readModels, ['one', 'two'], upTo, waitMs));

  it('ends when all have seen the head, and says so of those that have seen more', async () => {
    const found = models({ one: 500n }, { one: 500n, two: 300n }, { one: 700n, two: 500n });
    expect(await reached(found, 10_000)).to.deep.equal({ one: head, two: head });
  });

  it('ends when nothing but the store’s own records lies between', async () => {
    expect(await reached(models({ one: 500n, two: 500n }), 10_000, 510n)).to.deep.equal({ one: 510n, two: 510n });
  });

  it('ends when the time is over, and says how far each has come', async () => {
    expect(await reached(models({ one: 500n, two: 300n }), 150)).to.deep.equal({ one: 500n, two: 300n });
    expect(await reached(models({ one: 500n }), 0)).to.deep.equal({ one: 500n });
  });
});
