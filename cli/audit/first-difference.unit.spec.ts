import { expect } from 'chai';
import { firstDifference } from './first-difference.js';

describe('the first difference of two documents', () => {
  it('is none where they hold the same, in whatever order, with nothing for null', () => {
    const one = { a: 1, b: [{ c: 2n, d: undefined }], e: new Date(5), f: null };
    const two = { f: null, e: new Date(5), b: [{ d: null, c: 2n }], a: 1 };
    expect(firstDifference(one, two)).to.equal(undefined);
  });

  it('names the field, what was expected and what was seen', () => {
    const difference = firstDifference({ a: { b: [1, { c: 'x' }] } }, { a: { b: [1, { c: 'y' }] } });
    expect(difference).to.deep.equal({ field: 'a.b.1.c', expected: '"x"', seen: '"y"' });
  });

  it('tells missing from null, numbers from long integers and one length from another', () => {
    expect(firstDifference({ a: null }, {})).to.deep.equal({ field: 'a', expected: 'null', seen: 'nothing' });
    expect(firstDifference({}, { a: 1 })).to.deep.equal({ field: 'a', expected: 'nothing', seen: '1' });
    expect(firstDifference({ a: 1n }, { a: 1 })?.field).to.equal('a');
    expect(firstDifference({ a: [1] }, { a: [1, 2] })).to.include({ expected: '1 entries', seen: '2 entries' });
    expect(firstDifference({ a: [] }, { a: {} })?.field).to.equal('a');
    expect(firstDifference({ a: new Date(1) }, { a: new Date(2) })?.field).to.equal('a');
  });
});
