import { expect } from 'chai';
import fc from 'fast-check';
import { PersistentMap } from './persistent-map.js';

type Step = { kind: 'set'; key: string; value: number } | { kind: 'delete'; key: string };

const apply = (map: PersistentMap<number>, step: Step) =>
  step.kind === 'set' ? map.set(step.key, step.value) : map.delete(step.key);

const sorted = (entries: Iterable<readonly [string, number]>) =>
  [...entries].map(([key, value]) => [key, value] as const).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** Few keys meet often; many fall into the same bucket, because there are 1024 of those. */
const key = fc.oneof(
  fc.constantFrom('', 'a', 'b', '__proto__', 'constructor'),
  fc.string(),
  fc.integer({ min: 0, max: 5000 }).map((n) => `018f3c1a-0000-7000-8000-${String(n).padStart(12, '0')}`),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.integer() }),
  fc.record({ kind: fc.constant('delete' as const), key }),
);

describe('a persistent map', () => {
  it('is empty at first', () => {
    const map = PersistentMap.empty<number>();
    expect(map.size).to.equal(0);
    expect(map.get('a')).to.equal(undefined);
    expect([...map]).to.deep.equal([]);
    expect(map.delete('a')).to.equal(map);
  });

  it('holds what a Map would hold after the same steps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let map = PersistentMap.empty<number>();
        const model = new Map<string, number>();
        for (const next of steps) {
          map = apply(map, next);
          if (next.kind === 'set') model.set(next.key, next.value);
          else model.delete(next.key);
          expect(map.size).to.equal(model.size);
          expect(map.get(next.key)).to.equal(model.get(next.key));
        }
        expect(sorted(map)).to.deep.equal(sorted(model));
        expect([...map.values()].sort((a, b) => a - b)).to.deep.equal([...model.values()].sort((a, b) => a - b));
        for (const [k, v] of model) expect(map.get(k)).to.equal(v);
      }),
    );
  });

  it('leaves every earlier version as it was', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const versions: { map: PersistentMap<number>; entries: (readonly [string, number])[] }[] = [];
        let map = PersistentMap.empty<number>();
        for (const next of steps) {
          versions.push({ map, entries: sorted(map) });
          map = apply(map, next);
        }
        for (const version of versions) {
          expect(sorted(version.map)).to.deep.equal(version.entries);
          expect(version.map.size).to.equal(version.entries.length);
        }
      }),
    );
  });

  it('iterates equally after equal histories', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const once = steps.reduce(apply, PersistentMap.empty<number>());
        const again = steps.reduce(apply, PersistentMap.empty<number>());
        expect([...once]).to.deep.equal([...again]);
      }),
    );
  });

  it('keeps thousands of keys apart and lets each go again', () => {
    const keys = Array.from({ length: 20_000 }, (_, n) => `reservation-${n}`);
    const full = keys.reduce((map, k, n) => map.set(k, n), PersistentMap.empty<number>());
    expect(full.size).to.equal(20_000);
    expect(keys.every((k, n) => full.get(k) === n)).to.equal(true);
    const none = keys.reduce((map, k) => map.delete(k), full);
    expect(none.size).to.equal(0);
    expect([...none]).to.deep.equal([]);
    expect(full.size).to.equal(20_000);
  });

  it('tells a key that holds undefined from one that is not there only by its size', () => {
    const map = PersistentMap.empty<undefined>().set('a', undefined);
    expect(map.size).to.equal(1);
    expect(map.get('a')).to.equal(undefined);
    expect(map.delete('a').size).to.equal(0);
  });
});
