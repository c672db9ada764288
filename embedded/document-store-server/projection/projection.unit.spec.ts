import { type Document, deserialize, Long, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { expressionsWith } from '../expressions/compile.js';
import { type Projection, parseProjection, project } from './projection.js';

const bytes = (document: Document) => Buffer.from(serialize(document));
const value = (document: Document) => documentValue(bytes(document));
const parse = (projection: Document) => parseProjection(value(projection), expressionsWith(new Date(0)));

describe('a projection', () => {
  const document = {
    _id: 1,
    a: { b: 1, c: [1, { d: 2, e: 3 }] },
    f: Long.fromNumber(4),
    g: [{ h: 1, i: 2 }, 5, [{ h: 3 }]],
  };
  const apply = (projection: Document) => {
    const parsed = parse(projection);
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
    expect(apply({ _id: 1, a: 0, g: false })).to.deep.equal({ _id: 1, f: 4 });
    expect(Object.keys(apply({ _id: 0 }))).to.deep.equal(['a', 'f', 'g']);
  });

  it('computes fields by expressions, behind the others', () => {
    const computed = apply({ x: { $add: ['$a.b', 1] }, f: 1, y: 'text', z: '$missing', w: null });
    expect(computed).to.deep.equal({ _id: 1, f: 4, x: 2, y: 'text', w: null });
    expect(Object.keys(computed)).to.deep.equal(['_id', 'f', 'x', 'y', 'w']);
    expect(apply({ _id: '$f' })).to.deep.equal({ _id: 4 });
  });

  it('computes fields in nested objects and through arrays', () => {
    expect(apply({ a: { b: 1, n: '$f' }, _id: 0 })).to.deep.equal({ a: { b: 1, n: 4 } });
    expect(apply({ 'g.n': '$f', 'g.h': 1, _id: 0 })).to.deep.equal({ g: [{ h: 1, n: 4 }, { n: 4 }, [{ h: 3, n: 4 }]] });
    expect(apply({ 'f.n': '$_id', _id: 0 })).to.deep.equal({ f: { n: 1 } });
    expect(apply({ 'new.n': '$_id', _id: 0 })).to.deep.equal({ new: { n: 1 } });
  });

  it('takes a part of an array by $slice and leaves the other fields', () => {
    const list = { _id: 1, l: [1, 2, 3, 4], o: [{ l: [1, 2] }, { l: 5 }], x: 1 };
    const sliced = (projection: Document) => deserialize(project(parse(projection) as Projection, bytes(list)));
    expect(sliced({ l: { $slice: 2 } })).to.deep.equal({ ...list, l: [1, 2] });
    expect(sliced({ l: { $slice: -3 }, _id: 0 })).to.deep.equal({ l: [2, 3, 4], o: list.o, x: 1 });
    expect(sliced({ l: { $slice: [1, 2] }, x: 1 })).to.deep.equal({ _id: 1, l: [2, 3], x: 1 });
    expect(sliced({ l: { $slice: [-9, 2] }, x: 0 })).to.deep.equal({ _id: 1, l: [1, 2], o: list.o });
    expect(sliced({ 'o.l': { $slice: 1 } })).to.deep.equal({ ...list, o: [{ l: [1] }, { l: 5 }] });
    expect(sliced({ x: { $slice: 1 } })).to.deep.equal(list);
    expect(sliced({ y: { $slice: ['$l', 1] } })).to.deep.equal({ _id: 1, y: [1] });
  });

  it('takes the first item that matches by $elemMatch', () => {
    const list = { _id: 1, l: [{ a: 1 }, { a: 5, b: 1 }, { a: 5, b: 2 }], n: [1, 7, 8], x: 1 };
    const first = (projection: Document) => deserialize(project(parse(projection) as Projection, bytes(list)));
    expect(first({ l: { $elemMatch: { a: 5 } } })).to.deep.equal({ _id: 1, l: [{ a: 5, b: 1 }] });
    expect(Object.keys(first({ n: { $elemMatch: { $gt: 5 } }, x: 1 }))).to.deep.equal(['_id', 'x', 'n']);
    expect(first({ l: { $elemMatch: { a: 9 } }, _id: 0 })).to.deep.equal({});
    expect(first({ x: { $elemMatch: { a: 9 } } })).to.deep.equal({ _id: 1 });
  });

  it('is refused for mixtures, collisions and unknown operators', () => {
    const codes: [Document, number][] = [
      [{ a: 1, f: 0 }, 31254],
      [{ a: 0, f: 1 }, 31253],
      [{ a: 0, f: { $add: [1, 2] } }, 31252],
      [{ a: 0, f: '$a' }, 31310],
      [{ a: 1, 'a.b': 1 }, 31249],
      [{ 'a.b': 1, a: 1 }, 31250],
      [{ a: {} }, 51270],
      [{ a: { $near: 1 } }, 31325],
      [{ 'a.': 1 }, 40353],
      [{ $a: 1 }, 16410],
      [{ 'a.$': 1 }, 2],
      [{ a: { $slice: 'x' } }, 31273],
      [{ a: { $slice: [1, 2, 3, 4] } }, 28667],
      [{ a: { $elemMatch: 1 } }, 31274],
      [{ 'a.b': { $elemMatch: { x: 1 } } }, 31275],
      [{ a: { $elemMatch: { x: 1 } }, b: 0 }, 2],
    ];
    for (const [projection, code] of codes) {
      expect(() => parse(projection), JSON.stringify(projection))
        .to.throw(CommandError)
        .with.property('code', code);
    }
  });
});
