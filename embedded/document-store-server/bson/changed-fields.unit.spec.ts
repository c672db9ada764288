import { type Document, serialize } from 'bson';
import { expect } from 'chai';
import { changedFields } from './changed-fields.js';
import { documentValue } from './value.js';

const value = (document: Document) => documentValue(Buffer.from(serialize(document)));
const changed = (a: Document, b: Document) => changedFields(value(a), value(b))?.map(String);

describe('the changed fields of two documents', () => {
  it('are those whose bytes differ, wherever they lie', () => {
    const before = { _id: 1, a: 'x', b: { c: 1 }, d: [1, 2], e: 5 };
    expect(changed(before, before)).to.deep.equal([]);
    expect(changed(before, { ...before, a: 'longer', d: [1, 3] })).to.deep.equal(['a', 'd']);
    expect(changed(before, { ...before, b: { c: 2 }, e: 6.5 })).to.deep.equal(['b', 'e']);
  });

  it('see another type of an equal number', () => {
    expect(changed({ a: 1 }, { a: 1n })).to.deep.equal(['a']);
  });

  it('are not known of documents with other fields or another order', () => {
    expect(changed({ a: 1 }, { a: 1, b: 1 })).to.equal(undefined);
    expect(changed({ a: 1, b: 1 }, { a: 1 })).to.equal(undefined);
    expect(changed({ a: 1, b: 1 }, { b: 1, a: 1 })).to.equal(undefined);
    expect(changed({ a: 1 }, { ab: 1 })).to.equal(undefined);
    expect(changed({ ab: 1 }, { a: 1 })).to.equal(undefined);
  });
});
