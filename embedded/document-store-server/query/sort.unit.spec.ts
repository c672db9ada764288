import { type Document, deserialize, Long, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { parseProjection, project } from './projection.js';
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

  it('keeps only what a limit needs', () => {
    const documents = Array.from({ length: 5000 }, (_, i) => ({ i: (i * 7919) % 5000 }));
    expect(sorted({ i: 1 }, documents, 3).map(({ i }) => i)).to.deep.equal([0, 1, 2]);
  });

  it('is refused for other directions', () => {
    expect(() => parseSort(value({ a: 2 }))).to.throw(CommandError);
    expect(() => parseSort(value({ a: { $meta: 'textScore' } }))).to.throw(CommandError);
  });
});

describe('a projection', () => {
  const document = {
    _id: 1,
    a: { b: 1, c: [1, { d: 2, e: 3 }] },
    f: Long.fromNumber(4),
    g: [{ h: 1, i: 2 }, 5, [{ h: 3 }]],
  };
  const apply = (projection: Document) => {
    const parsed = parseProjection(value(projection));
    return parsed === undefined ? document : deserialize(project(parsed, bytes(document)));
  };

  it('includes fields and paths, through arrays', () => {
    expect(apply({ f: 1 })).to.deep.equal({ _id: 1, f: 4 });
    expect(apply({ 'a.b': true, _id: 0 })).to.deep.equal({ a: { b: 1 } });
    expect(apply({ 'a.c.d': 1 })).to.deep.equal({ _id: 1, a: { c: [{ d: 2 }] } });
    expect(apply({ 'g.h': 1, _id: 0 })).to.deep.equal({ g: [{ h: 1 }, [{ h: 3 }]] });
    expect(apply({ 'f.x': 1 })).to.deep.equal({ _id: 1 });
    expect(apply({ _id: 1 })).to.deep.equal({ _id: 1 });
  });

  it('excludes fields and paths, through arrays', () => {
    expect(apply({ a: 0, g: 0 })).to.deep.equal({ _id: 1, f: 4 });
    expect(apply({ _id: 0, a: 0, 'g.h': 0 })).to.deep.equal({ f: 4, g: [{ i: 2 }, 5, [{}]] });
    expect(Object.keys(apply({ _id: 0 }))).to.deep.equal(['a', 'f', 'g']);
  });

  it('is refused for mixtures, collisions and operators', () => {
    const codes: [Document, number][] = [
      [{ a: 1, f: 0 }, 31254],
      [{ a: 0, f: 1 }, 31253],
      [{ a: 1, 'a.b': 1 }, 31249],
      [{ a: { $slice: 1 } }, 2],
      [{ 'a.$': 1 }, 2],
      [{ a: '$f' }, 2],
    ];
    for (const [projection, code] of codes) {
      expect(() => parseProjection(value(projection)), JSON.stringify(projection))
        .to.throw(CommandError)
        .with.property('code', code);
    }
  });
});
