import { expect } from 'chai';
import type { Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { describeTargets } from './document-store-targets.js';
import { textOf, textsOf, titleOf } from './exact-documents.js';

const document = {
  _id: 1,
  z: 'last',
  a: 1,
  b: { y: 1, x: { w: 2, v: 3 } },
  list: [{ k: 1, v: 2 }, { k: 3 }, 'scalar', [{ k: 4, v: 5 }], { v: 6 }],
  words: ['one', 'two', 'three', 'four'],
  none: null,
};
const { z, a, b, list, words, none } = document;

const shown: Record<string, [projection: Document, expected: Document][]> = {
  inclusion: [
    [{}, document],
    [{ a: 1 }, { _id: 1, a }],
    [
      { a: true, z: 7 },
      { _id: 1, z, a },
    ],
    [
      { a: 1, z: 1 },
      { _id: 1, z, a },
    ],
    [{ a: 1, _id: 0 }, { a }],
    [{ _id: 1 }, { _id: 1 }],
    [{ missing: 1 }, { _id: 1 }],
    [{ none: 1 }, { _id: 1, none }],
    [{ b: 1 }, { _id: 1, b }],
    [{ 'b.y': 1 }, { _id: 1, b: { y: 1 } }],
    [{ 'b.x.v': 1, 'b.x.w': 1, _id: 0 }, { b: { x: { w: 2, v: 3 } } }],
    [{ b: { x: { v: 1 } } }, { _id: 1, b: { x: { v: 3 } } }],
    [{ 'b.missing': 1 }, { _id: 1, b: {} }],
    [{ 'a.b': 1 }, { _id: 1 }],
    [{ 'list.k': 1 }, { _id: 1, list: [{ k: 1 }, { k: 3 }, [{ k: 4 }], {}] }],
    [{ list: 1, _id: false }, { list }],
  ],
  exclusion: [
    [
      { _id: 0, list: 0, words: 0, b: 0, none: 0 },
      { z, a },
    ],
    [
      { list: 0, words: 0, b: false },
      { _id: 1, z, a, none },
    ],
    [{ missing: 0 }, document],
    [
      { 'b.x.v': 0, list: 0, words: 0 },
      { _id: 1, z, a, b: { y: 1, x: { w: 2 } }, none },
    ],
    [
      { b: { x: 0 }, list: 0, words: 0 },
      { _id: 1, z, a, b: { y: 1 }, none },
    ],
    [
      { 'list.k': 0, words: 0, b: 0 },
      { _id: 1, z, a, list: [{ v: 2 }, {}, 'scalar', [{ v: 5 }], { v: 6 }], none },
    ],
    [{ _id: 0 }, { z, a, b, list, words, none }],
  ],
  $slice: [
    [
      { words: { $slice: 2 }, list: 0, b: 0 },
      { _id: 1, z, a, words: ['one', 'two'], none },
    ],
    [
      { words: { $slice: -1 }, list: 0, b: 0 },
      { _id: 1, z, a, words: ['four'], none },
    ],
    [
      { words: { $slice: [1, 2] }, a: 1 },
      { _id: 1, a, words: ['two', 'three'] },
    ],
    [
      { words: { $slice: [-3, 2] }, a: 1 },
      { _id: 1, a, words: ['two', 'three'] },
    ],
    [
      { words: { $slice: 99 }, a: 1, _id: 0 },
      { a, words },
    ],
    [
      { words: { $slice: [9, 1] }, a: 1 },
      { _id: 1, a, words: [] },
    ],
  ],
  $elemMatch: [
    [{ list: { $elemMatch: { k: { $gt: 1 } } } }, { _id: 1, list: [{ k: 3 }] }],
    [
      { list: { $elemMatch: { k: 9 } }, a: 1 },
      { _id: 1, a },
    ],
    [{ words: { $elemMatch: { $regex: '^t' } }, _id: 0 }, { words: ['two'] }],
  ],
  expressions: [
    [
      { sum: { $add: ['$a', 1] }, a: 1 },
      { _id: 1, a, sum: 2 },
    ],
    [{ first: '$b.y', _id: 0 }, { first: 1 }],
    [{ text: { $literal: 1 }, _id: 0 }, { text: 1 }],
  ],
};

describeTargets('projections', (target) => {
  for (const [title, cases] of Object.entries(shown)) {
    describe(title, () => {
      for (const [projection, expected] of cases) {
        it(`${titleOf(projection)} shows ${titleOf(expected)}`, async () => {
          const collection = target().collection('projected');
          await collection.insertOne(document);
          expect(await textsOf(collection.find({}, { projection, raw: true }))).to.deep.equal([textOf(expected)]);
        });
      }
    });
  }

  describe('that cannot be', () => {
    const refused: [projection: Document, code: number][] = [
      [{ a: 1, b: 0 }, 31254],
      [{ a: 0, b: 1 }, 31253],
      [{ b: 1, 'b.x': 1 }, 31249],
      [{ 'b.x': 1, b: 1 }, 31250],
      [{ words: { $slice: 'x' } }, 31273],
      [{ words: { $elemMatch: 1 } }, 31274],
      [{ 'b.y': { $elemMatch: { $gt: 1 } } }, 31275],
    ];
    for (const [projection, code] of refused) {
      it(`${titleOf(projection)} is refused with ${code}`, async () => {
        const collection = target().collection('projected');
        await collection.insertOne(document);
        expect((await failure(collection.find({}, { projection }).toArray())).code).to.equal(code);
      });
    }
  });
});
