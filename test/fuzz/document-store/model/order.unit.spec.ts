import { expect } from 'chai';
import { docFromJson, fromJson } from '../json.js';
import { compare } from './order.js';
import { isSorted, type Sort, sortRow } from './sort.js';
import { Refusal } from './values.js';

describe("the model's order", () => {
  it('goes through the types as reference/bson-type-comparison-order/ lists them', () => {
    const ascending = [
      { $minKey: 1 },
      null,
      { $numberDouble: 'NaN' },
      { $numberDouble: '-Infinity' },
      -1,
      { $numberDouble: '0.5' },
      { $numberDecimal: '0.6' },
      { $numberLong: '9007199254740992' },
      { $numberLong: '9007199254740993' },
      { $numberDecimal: '9007199254740993.5' },
      { $numberDouble: '9007199254740994' },
      { $numberDouble: '1e308' },
      { $numberDecimal: '1E+309' },
      { $numberDecimal: 'Infinity' },
      '',
      'A',
      'a',
      'aa',
      'é',
      '😀',
      {},
      { a: null },
      { b: null },
      { a: 1 },
      { a: 1, b: 1 },
      { a: 2 },
      { a: 'x' },
      [],
      [1],
      [1, 2],
      [2],
      { $binary: { base64: '', subType: '00' } },
      { $binary: { base64: 'Ag==', subType: '00' } },
      { $binary: { base64: 'AQ==', subType: '05' } },
      { $binary: { base64: 'AQE=', subType: '00' } },
      { $oid: '000000000000000000000001' },
      false,
      true,
      { $date: { $numberLong: '-5' } },
      { $date: { $numberLong: '5' } },
      { $timestamp: { t: 1, i: 9 } },
      { $timestamp: { t: 2, i: 1 } },
      { $regularExpression: { pattern: 'a', options: '' } },
      { $regularExpression: { pattern: 'a', options: 'i' } },
      { $maxKey: 1 },
    ].map(fromJson);
    for (const [at, value] of ascending.entries()) {
      for (const [other, right] of ascending.entries()) {
        expect(Math.sign(compare(value, right)), `${at} and ${other}`).to.equal(Math.sign(at - other));
      }
    }
  });

  it('takes numbers of any type that are the same for equal', () => {
    const same = [1, { $numberLong: '1' }, { $numberDouble: '1.0' }, { $numberDecimal: '1.00' }].map(fromJson);
    const zero = [0, { $numberDouble: '-0.0' }, { $numberDecimal: '-0E+10' }].map(fromJson);
    for (const values of [same, zero]) {
      for (const a of values) for (const b of values) expect(compare(a, b)).to.equal(0);
    }
    const tenth = [{ $numberDouble: '0.1' }, { $numberDecimal: '0.1' }].map(fromJson);
    expect(compare(tenth[0] as never, tenth[1] as never)).to.equal(1);
  });
});

describe("the model's sort", () => {
  const docs = [
    { _id: 'empty', a: [] },
    { _id: 'missing' },
    { _id: 'null', a: null },
    { _id: 'one to nine', a: [9, 1] },
    { _id: 'two', a: 2 },
    { _id: 'three', a: [3] },
  ].map(docFromJson);
  const inOrder = (sort: Sort, ids: readonly string[]) =>
    isSorted(
      ids.map((id) => sortRow(docs.find((doc) => doc.get('_id') === id) as never, sort)),
      sort,
    );

  it('takes the smallest element upwards and the largest downwards, an empty array before null and missing', () => {
    expect(inOrder([['a', 1]], ['empty', 'missing', 'null', 'one to nine', 'two', 'three'])).to.equal(true);
    expect(inOrder([['a', 1]], ['empty', 'null', 'missing', 'one to nine', 'two', 'three'])).to.equal(true);
    expect(inOrder([['a', -1]], ['one to nine', 'three', 'two', 'missing', 'null', 'empty'])).to.equal(true);
    expect(inOrder([['a', -1]], ['three', 'one to nine', 'two', 'missing', 'null', 'empty'])).to.equal(false);
    expect(inOrder([['a', 1]], ['missing', 'empty', 'null', 'one to nine', 'two', 'three'])).to.equal(false);
  });

  it('refuses two arrays as one key', () => {
    const doc = docFromJson({ _id: 1, a: [1], b: [2] });
    expect(() =>
      sortRow(doc, [
        ['a', 1],
        ['b', 1],
      ]),
    )
      .to.throw(Refusal)
      .with.property('code', 2);
  });

  it('keeps together what stands in one element', () => {
    const doc = docFromJson({
      _id: 1,
      a: [
        { b: 1, c: 9 },
        { b: 2, c: 3 },
      ],
    });
    expect(
      sortRow(doc, [
        ['a.b', 1],
        ['a.c', 1],
      ]),
    ).to.deep.equal([1, 9].map(fromJson));
    expect(
      sortRow(doc, [
        ['a.c', 1],
        ['a.b', 1],
      ]),
    ).to.deep.equal([3, 2].map(fromJson));
  });
});
