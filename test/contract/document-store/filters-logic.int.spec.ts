import { expect } from 'chai';
import { BSONRegExp } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { finds, refuses } from './filter-cases.js';

const things = {
  red: { a: 'red', n: 1, tags: ['x', 'y'] },
  green: { a: 'green', n: 2, tags: [] },
  blue: { a: 'blue', n: 3, b: { c: 1 } },
  none: { n: 4, tags: null },
};

const texts = {
  lower: { a: 'shopledger' },
  upper: { a: 'SHOPLEDGER' },
  lines: { a: 'first\nsecond' },
  digits: { a: 'abc123' },
  dots: { a: 'a.c' },
  umlaut: { a: 'Überweisung 流' },
  items: { a: ['one', 'two', 3] },
  number: { a: 123 },
  stored: { a: new BSONRegExp('^shop') },
  null: { a: null },
  missing: {},
};

describeTargets('filters by logic and pattern', (target) => {
  describe('$and', () => {
    finds(target, things, [
      [{ $and: [{ a: 'red' }, { n: 1 }] }, 'red'],
      [{ $and: [{ a: 'red' }, { n: 2 }] }, ''],
      [{ $and: [{ tags: 'x' }, { tags: 'y' }] }, 'red'],
      [{ $and: [{ n: { $gt: 1 } }, { n: { $lt: 4 } }], a: /e$/ }, 'blue'],
      [{ $and: [{ $or: [{ a: 'red' }, { a: 'blue' }] }, { $or: [{ n: 3 }, { n: 4 }] }] }, 'blue'],
      [{ n: { $gt: 1, $lt: 3 }, a: { $exists: true } }, 'green'],
    ]);
    refuses(target, [
      [{ $and: [] }, 2],
      [{ $and: { a: 1 } }, 2],
      [{ $and: [1] }, 2],
    ]);
  });

  describe('$or', () => {
    finds(target, things, [
      [{ $or: [{ a: 'red' }, { n: 3 }] }, 'red blue'],
      [{ $or: [{ a: 'red' }] }, 'red'],
      [{ $or: [{ a: 'red' }, { a: 'red' }] }, 'red'],
      [{ $or: [{ a: 'none' }, { n: 99 }] }, ''],
      [{ $or: [{ a: 'red' }, { n: { $gt: 1 } }], tags: { $exists: true } }, 'red green none'],
      [{ $or: [{ $and: [{ a: 'red' }, { n: 1 }] }, { 'b.c': 1 }] }, 'red blue'],
    ]);
    refuses(target, [
      [{ $or: [] }, 2],
      [{ $or: 1 }, 2],
    ]);
  });

  describe('$nor', () => {
    finds(target, things, [
      [{ $nor: [{ a: 'red' }, { n: 3 }] }, 'green none'],
      [{ $nor: [{ a: { $exists: true } }] }, 'none'],
      [{ $nor: [{ a: 'red' }], n: { $lt: 3 } }, 'green'],
      [{ $nor: [{ $nor: [{ a: 'red' }] }] }, 'red'],
    ]);
    refuses(target, [[{ $nor: [] }, 2]]);
  });

  describe('$not', () => {
    finds(target, things, [
      [{ n: { $not: { $gt: 2 } } }, 'red green'],
      [{ a: { $not: { $gte: 'c' } } }, 'blue none'],
      [{ a: { $not: /^r/ } }, 'green blue none'],
      [{ a: { $not: { $regex: '^r' } } }, 'green blue none'],
      [{ a: { $not: { $in: ['red', null] } } }, 'green blue'],
      [{ a: { $not: { $not: { $eq: 'red' } } } }, 'red'],
      [{ n: { $not: { $gt: 1, $lt: 4 } } }, 'red none'],
      [{ tags: { $not: { $eq: 'x' } } }, 'green blue none'],
    ]);
    refuses(target, [[{ a: { $not: 1 } }, 2]]);
  });

  describe('$expr', () => {
    finds(target, things, [
      [{ $expr: { $gt: ['$n', 2] } }, 'blue none'],
      [{ $expr: { $eq: [{ $ifNull: ['$a', 'none'] }, 'none'] } }, 'none'],
      [{ $expr: '$b.c' }, 'blue'],
      [{ n: { $lt: 4 }, $expr: { $isArray: '$tags' } }, 'red green'],
      [{ $or: [{ n: 4 }, { $expr: { $eq: ['$a', 'red'] } }] }, 'red none'],
      [{ $expr: { $and: [{ $gte: ['$n', 2] }, { $lt: ['$a', 'c'] }] } }, 'blue none'],
    ]);

    it('reads variables of let', async () => {
      const collection = target().collection('variables');
      await collection.insertMany([1, 2, 3].map((_id) => ({ _id, n: _id })));
      const filter = { $expr: { $gt: ['$n', '$$least'] } };
      const variables = { let: { least: { $add: [1, 1] } } };
      expect(await collection.find(filter, variables).toArray()).to.deep.equal([{ _id: 3, n: 3 }]);
      const piped = [{ $match: filter }, { $project: { _id: 0, over: { $subtract: ['$n', '$$least'] } } }];
      expect(await collection.aggregate(piped, variables).toArray()).to.deep.equal([{ over: 1 }]);
    });
  });

  describe('$comment', () =>
    finds(target, things, [
      [{ a: 'red', $comment: 'why this is asked' }, 'red'],
      [{ $comment: 'all' }, 'red green blue none'],
    ]));

  describe('$regex', () => {
    finds(target, texts, [
      [{ a: /^shop/ }, 'lower stored'],
      [{ a: { $regex: /^SHOP/i } }, 'lower upper'],
      [{ a: { $regex: 'ledger$' } }, 'lower'],
      [{ a: { $regex: 'ledger$', $options: 'i' } }, 'lower upper'],
      [{ a: { $options: 'i', $regex: 'LEDGER' } }, 'lower upper'],
      [{ a: { $regex: /ledger/, $options: 'i' } }, 'lower upper'],
      [{ a: /^second/ }, ''],
      [{ a: /^second/m }, 'lines'],
      [{ a: { $regex: 'first.second' } }, ''],
      [{ a: { $regex: 'first.second', $options: 's' } }, 'lines'],
      [{ a: { $regex: '(?i)^SHOP' } }, 'lower upper'],
      [{ a: { $regex: '^a\\.c' } }, 'dots'],
      [{ a: { $regex: '\\d{3}$' } }, 'digits'],
      [{ a: { $regex: 'weisung 流$' } }, 'umlaut'],
      [{ a: { $regex: '^Üb' } }, 'umlaut'],
      [{ a: /^t/ }, 'items'],
      [{ a: { $regex: '^(one|first)' } }, 'items lines'],
      [{ a: { $regex: '^abc(?=1)' } }, 'digits'],
      [{ a: { $regex: 'e', $ne: 'shopledger', $not: /\n/ } }, 'items umlaut'],
      [{ a: { $not: /o|O/, $exists: true } }, 'digits dots umlaut number stored null'],
      [{ a: /123/ }, 'digits'],
    ]);
    refuses(target, [
      [{ a: { $options: 'i' } }, 2],
      [{ a: { $regex: /x/i, $options: 'm' } }, 51075],
      [{ a: { $regex: 1 } }, 2],
    ]);
  });
});
