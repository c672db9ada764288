import { expect } from 'chai';
import type { Content } from './document-store-content.js';
import { type Ledger, openLedger, type Step, type Write } from './document-store-ledger.js';
import { openShared, type Shared } from './document-store-shared.js';
import { Violation } from './violation.js';

const doc = (id: string, n: number): Content => ({ _id: id, n });
const put = (id: string, n: number): Step => ({ changes: [{ key: id, after: doc(id, n) }] });
const drop = (...ids: string[]): Step => ({ changes: ids.map((key) => ({ key, after: undefined })) });
const none: ReadonlyMap<number, number> = new Map();

function isViolation(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (err) {
    if (err instanceof Violation) return true;
    throw err;
  }
}

describe('the ledger of a torture of documents', () => {
  let ledger: Ledger;
  beforeEach(() => {
    ledger = openLedger();
    const first = { what: 'first', steps: [put('a', 1), put('b', 1)], ordered: true };
    ledger.send(first);
    ledger.answer(first, none);
  });
  const send = (ordered: boolean, ...steps: Step[]): Write => {
    const write = { what: 'a write', steps, ordered };
    ledger.send(write);
    return write;
  };
  const refusesToSettle = (...stored: Content[]) =>
    isViolation(() => ledger.settle(new Map(stored.map((content) => [content._id, content]))));

  it('finds right what holds everything acknowledged, whatever the order of its fields', () => {
    ledger.answer(send(true, { changes: [{ key: 'a', after: { _id: 'a', n: 2, m: 3 } }] }), none);
    expect(refusesToSettle({ _id: 'a', m: 3, n: 2 }, doc('b', 1))).to.equal(false);
    expect(ledger.counts).to.include({ acknowledged: 2, unknown: 0, verified: 2 });
  });

  it('names a lost document, an older state, another type of number, and one that nobody sent', () => {
    expect(refusesToSettle(doc('a', 1))).to.equal(true);
    expect(refusesToSettle(doc('a', 1), doc('b', 0))).to.equal(true);
    expect(refusesToSettle(doc('a', 1), doc('b', 1.5))).to.equal(true);
    expect(refusesToSettle(doc('a', 1), doc('b', 1), doc('c', 1))).to.equal(true);
  });

  it('names a document that came back after it was deleted', () => {
    ledger.answer(send(true, drop('a')), none);
    expect(refusesToSettle(doc('a', 1), doc('b', 1))).to.equal(true);
  });

  it('leaves it open whether a write without answer is stored, and holds to what was found', () => {
    send(true, put('a', 2));
    expect(refusesToSettle(doc('a', 2), doc('b', 1))).to.equal(false);
    expect(ledger.counts).to.include({ unknown: 1, unknownStored: 1 });
    expect(refusesToSettle(doc('a', 1), doc('b', 1))).to.equal(true);
  });

  const [a0, b0, a2, b2] = [doc('a', 1), doc('b', 1), doc('a', 2), doc('b', 2)];
  const ordered: Record<string, [stored: Content[], wrong: boolean]> = {
    'none of it': [[a0, b0], false],
    'its first statement': [[a2, b0], false],
    'two statements': [[a2, b2], false],
    'all of it': [[doc('a', 3), b2], false],
    'its second statement alone': [[a0, b2], true],
    'a state that no statement makes': [[doc('a', 4), b2], true],
  };
  for (const [what, [stored, wrong]] of Object.entries(ordered)) {
    it(`${wrong ? 'names' : 'allows'} an ordered write of unknown outcome of which the store holds ${what}`, () => {
      send(true, put('a', 2), put('b', 2), put('a', 3));
      expect(refusesToSettle(...stored)).to.equal(wrong);
    });
  }

  it('allows any statements of an unordered write of unknown outcome, each wholly', () => {
    send(false, put('a', 2), put('b', 2));
    expect(refusesToSettle(a0, b2)).to.equal(false);
    send(false, put('a', 3), put('b', 3));
    expect(refusesToSettle(a0, doc('b', 4))).to.equal(true);
  });

  it('allows some documents of a statement about many, unless it must be done whole', () => {
    send(true, { changes: [...put('a', 2).changes, ...put('b', 2).changes] });
    expect(refusesToSettle(a0, b2)).to.equal(false);
    send(true, { ...drop('a', 'b'), whole: true });
    expect(refusesToSettle(a0)).to.equal(true);
  });

  it('names statements after a refusal in an ordered write', () => {
    send(true, put('a', 2), { changes: [], refusal: 11000 }, put('b', 2));
    expect(refusesToSettle(a2, b2)).to.equal(true);
  });

  it('takes refusals that had to be, or could be, and no others', () => {
    const collides = { ...put('a', 2), mayCollide: true };
    ledger.answer(send(true, { changes: [], refusal: 11000 }, put('b', 2)), new Map([[0, 11000]]));
    ledger.answer(send(false, collides, put('b', 2)), new Map([[0, 11000]]));
    expect(refusesToSettle(a0, b2)).to.equal(false);
    const wrongs: [Step, number | undefined][] = [
      [{ changes: [], refusal: 11000 }, undefined],
      [{ changes: [], refusal: 11000 }, 2],
      [put('a', 2), 11000],
      [collides, 2],
    ];
    for (const [step, code] of wrongs) {
      const refused = new Map(code === undefined ? [] : [[0, code]]);
      expect(
        isViolation(() => ledger.answer(send(true, step), refused)),
        JSON.stringify([step, code]),
      ).to.equal(true);
    }
  });

  it('names what is there of a write that was refused as a whole', () => {
    ledger.refuse(send(true, put('a', 2)));
    expect(refusesToSettle(a2, b0)).to.equal(true);
  });
});

describe('the ledger of what writers share', () => {
  let shared: Shared;
  beforeEach(() => {
    shared = openShared();
  });
  const refusesToSettle = (counters: Record<string, number>, positions: Record<string, number> = {}) =>
    isViolation(() => shared.settle(new Map(Object.entries(counters)), new Map(Object.entries(positions))));

  it('has a counter between what was acknowledged and what was sent', () => {
    shared.add('c', 5).acknowledge();
    shared.add('c', 2);
    for (const wrong of [0, 4, 8]) expect(refusesToSettle({ c: wrong }), String(wrong)).to.equal(true);
    expect(refusesToSettle({ c: 7 })).to.equal(false);
    expect(refusesToSettle({ c: 5 })).to.equal(true);
    expect(refusesToSettle({})).to.equal(true);
  });

  it('checks a counter that is told while others count', () => {
    const mine = shared.add('c', 5);
    shared.add('c', 2);
    expect(isViolation(() => mine.told(8))).to.equal(true);
    expect(isViolation(() => mine.told(4))).to.equal(true);
    expect(isViolation(() => mine.told(7))).to.equal(false);
  });

  it('never has a guarded position fall behind an answer, nor reach what nobody sent', () => {
    shared.raise('p', 3).answered();
    shared.raise('p', 9);
    expect(refusesToSettle({}, { p: 2 })).to.equal(true);
    expect(refusesToSettle({}, { p: 4 })).to.equal(true);
    expect(refusesToSettle({}, {})).to.equal(true);
    expect(refusesToSettle({}, { p: 9 })).to.equal(false);
    expect(refusesToSettle({}, { p: 3 })).to.equal(true);
  });
});
