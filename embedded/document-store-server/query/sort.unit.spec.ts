import { type Document, deserialize, Long, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { parseSort, Sorter } from './sort.js';

const bytes = (document: Document) => Buffer.from(serialize(document));
const value = (document: Document) => documentValue(bytes(document));

function sorted(sort: Document, documents: Document[], limit?: number): Document[] {
  const sorter = new Sorter(parseSort(value(sort)), limit);
  for (const document of documents) sorter.add(bytes(document));
  return sorter.result().map((document) => deserialize(document));
}

describe('a sort', () => {
  it('orders by types, then values, and keeps the order of equals', () => {
    const documents = [
      { i: 1, a: 'x' },
      { i: 2, a: 2 },
      { i: 3 },
      { i: 4, a: 1 },
      { i: 5, a: null },
      { i: 6, a: { b: 1 } },
    ];
    expect(sorted({ a: 1 }, documents).map(({ i }) => i)).to.deep.equal([3, 5, 4, 2, 1, 6]);
    expect(sorted({ a: -1 }, documents).map(({ i }) => i)).to.deep.equal([6, 1, 2, 4, 3, 5]);
  });

  it('takes the least item of an array, the greatest when descending, and puts empty arrays before null', () => {
    const documents = [{ i: 1, a: [5, 2] }, { i: 2, a: 3 }, { i: 3, a: [] }, { i: 4 }, { i: 5, a: [9, 0] }];
    expect(sorted({ a: 1 }, documents).map(({ i }) => i)).to.deep.equal([3, 4, 5, 1, 2]);
    expect(sorted({ a: -1 }, documents).map(({ i }) => i)).to.deep.equal([5, 1, 2, 4, 3]);
  });

  it('sorts by several fields, through arrays, exactly for int64', () => {
    const big = Long.fromString('9007199254740993');
    const documents = [
      { i: 1, a: { b: big }, c: 1 },
      { i: 2, a: [{ b: 2 ** 53 }], c: 2 },
      { i: 3, a: { b: big }, c: 3 },
    ];
    expect(sorted({ 'a.b': 1, c: -1 }, documents).map(({ i }) => i)).to.deep.equal([2, 3, 1]);
  });

  it('orders keys that begin alike, and keys of few bytes', () => {
    const texts = ['prefixed b', 'prefixed', '', 'p', 'prefixed\0', 'prefixed a', 'pq'];
    const documents = [...texts.map((a) => ({ a })), { a: false }, { a: null }, { a: true }];
    expect(sorted({ a: 1 }, documents).map(({ a }) => a)).to.deep.equal([null, ...texts.toSorted(), false, true]);
    expect(sorted({ a: -1 }, documents).map(({ a }) => a)).to.deep.equal([
      true,
      false,
      ...texts.toSorted().reverse(),
      null,
    ]);
  });

  it('keeps only what a limit needs', () => {
    const documents = Array.from({ length: 5000 }, (_, i) => ({ i: (i * 7919) % 5000 }));
    expect(sorted({ i: 1 }, documents, 3).map(({ i }) => i)).to.deep.equal([0, 1, 2]);
  });

  it('is refused for other directions', () => {
    expect(() => parseSort(value({ a: 2 }))).to.throw(CommandError);
    expect(() => parseSort(value({ a: { $meta: 'textScore' } }))).to.throw(CommandError);
  });
});
