import { type Document, Double, deserialize, Int32, Long, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue } from '../bson/value.js';
import { toBson } from '../bson/write.js';
import { CommandError } from '../errors.js';
import { applyUpdate, upsertDocument } from './apply.js';
import { parseUpdate } from './modifiers.js';

const bytes = (document: Document) => Buffer.from(serialize(document));
const parse = (update: Document) => parseUpdate(documentValue(bytes(update)));
const apply = (update: Document, document: Document) =>
  deserialize(applyUpdate(parse(update), bytes({ _id: 1, ...document })));

/** name, update, before, after; all with `_id: 1` */
const cases: [string, Document, Document, Document][] = [
  [
    '$set sets, deeply and past the end of an array',
    { $set: { a: 2, 'b.c.d': 1, 'e.3': 'x' } },
    { a: 1, e: [0] },
    { a: 2, e: [0, null, null, 'x'], b: { c: { d: 1 } } },
  ],
  ['new fields come in the order of their names', { $set: { z: 1, b: 1, a: 1 } }, {}, { a: 1, b: 1, z: 1 }],
  [
    '$unset removes, and leaves null in arrays',
    { $unset: { a: '', 'b.0': '', 'c.d': '', x: '', 'b.q': '' } },
    { a: 1, b: [1, 2], c: { d: 1 } },
    { b: [null, 2], c: {} },
  ],
  ['$setOnInsert does nothing to what exists', { $setOnInsert: { a: 2 } }, { a: 1 }, { a: 1 }],
  ['$inc and $mul compute', { $inc: { a: 2, n: 5 }, $mul: { b: 3, m: 7 } }, { a: 1, b: 2 }, { a: 3, b: 6, m: 0, n: 5 }],
  [
    '$min and $max compare across types',
    { $min: { a: 5, b: 5, c: 1 }, $max: { d: 5, e: 'x', f: 1 } },
    { a: 9, b: 1, d: 9, e: 3 },
    { a: 5, b: 1, d: 9, e: 'x', c: 1, f: 1 },
  ],
  ['$push appends', { $push: { a: 3, b: { $each: [1, 2] } } }, { a: [1] }, { a: [1, 3], b: [1, 2] }],
  [
    '$addToSet appends what is new',
    { $addToSet: { a: { $each: [1, 2, 2] }, b: { x: 1 } } },
    { a: [1], b: [{ x: 1 }] },
    { a: [1, 2], b: [{ x: 1 }] },
  ],
  [
    '$pull removes values',
    { $pull: { a: 1, b: { $gte: 5 }, c: { x: 1 } } },
    { a: [1, 2, 1], b: [4, 5, 6], c: [{ x: 1, y: 1 }, { x: 2 }] },
    { a: [2], b: [4], c: [{ x: 2 }] },
  ],
  ['a replacement keeps the _id', { a: 1 }, { b: 1 }, { a: 1 }],
];

/** update, before, code */
const refusals: [Document, Document, number][] = [
  [{ $set: { 'a.b': 1 } }, { a: 1 }, 28],
  [{ $set: { 'a.b': 1 } }, { a: null }, 28],
  [{ $set: { 'a.b': 1 } }, { a: [] }, 28],
  [{ $inc: { a: 1 } }, { a: 'x' }, 14],
  [{ $inc: { a: 'x' } }, { a: 1 }, 14],
  [{ $inc: { a: 1 } }, { a: Long.MAX_VALUE }, 2],
  [{ $push: { a: 1 } }, { a: 1 }, 2],
  [{ $addToSet: { a: 1 } }, { a: 'x' }, 2],
  [{ $pull: { a: 1 } }, { a: 1 }, 2],
  [{ $set: { _id: 2 } }, {}, 66],
  [{ $unset: { _id: '' } }, {}, 66],
  [{ _id: 2, a: 1 }, {}, 66],
  [{ $set: { a: 1 }, $inc: { a: 1 } }, {}, 40],
  [{ $set: { a: 1, 'a.b': 1 } }, {}, 40],
  [{ $strange: { a: 1 } }, {}, 9],
  [{ $set: 1 }, {}, 9],
  [{ $set: { a: 1 }, b: 1 }, {}, 9],
  [{ $rename: { a: 'b' } }, {}, 2],
  [{ $push: { a: { $each: [1], $slice: 2 } } }, {}, 2],
  [{ $set: { 'a.$': 1 } }, { a: [1] }, 2],
  [{ $set: { 'a.$[x].b': 1 } }, { a: [1] }, 2],
  [{ $set: { 'a..b': 1 } }, {}, 56],
];

describe('an update', () => {
  for (const [name, update, before, after] of cases) {
    it(name, () => {
      const result = apply(update, before);
      expect(result).to.deep.equal({ _id: 1, ...after });
      expect(Object.keys(result)).to.deep.equal(['_id', ...Object.keys(after)]);
    });
  }

  for (const [update, before, code] of refusals) {
    it(`is refused with ${code}: ${JSON.stringify(update)}`, () => {
      expect(() => apply(update, before))
        .to.throw(CommandError)
        .with.property('code', code);
    });
  }

  it('leaves the bytes of what it does not touch, types and names like numbers included', () => {
    const before = bytes({ _id: 1, d: new Double(1), i: new Int32(1), l: Long.fromNumber(1), o: { b: 1, 1: 2 } });
    const after = applyUpdate(parse({ $set: { x: 1 } }), before);
    const back = applyUpdate(parse({ $unset: { x: '' } }), after);
    expect(back.equals(before)).to.equal(true);
  });

  it('widens int32 to int64 and keeps doubles', () => {
    const grown = applyUpdate(parse({ $inc: { a: 1, b: 0.5 } }), bytes({ _id: 1, a: 2147483647, b: 1 }));
    expect(deserialize(grown, { promoteValues: false })).to.deep.include({
      a: Long.fromNumber(2147483648),
      b: new Double(1.5),
    });
  });

  it('starts an upsert from what the query fixes', () => {
    const made = upsertDocument(
      parse({ $set: { b: 2 }, $setOnInsert: { c: 3 } }),
      [
        ['_id', toBson('x')],
        ['a.d', toBson(1)],
      ],
      () => toBson(0),
    );
    expect(deserialize(made)).to.deep.equal({ _id: 'x', a: { d: 1 }, b: 2, c: 3 });
    expect(() => upsertDocument(parse({ $set: { _id: 'y' } }), [['_id', toBson('x')]], () => toBson(0)))
      .to.throw(CommandError)
      .with.property('code', 66);
    expect(deserialize(upsertDocument(parse({ a: 1 }), [], () => toBson(7)))).to.deep.equal({ _id: 7, a: 1 });
  });
});
