import { type Document, deserialize, serialize } from 'bson';
import { expect } from 'chai';
import { assembleArray, assembleDocument } from './assemble.js';
import { documentValue, fieldsOf, itemsOf } from './value.js';

const fields = (document: Document) => fieldsOf(documentValue(Buffer.from(serialize(document))));

describe('a document put together from values', () => {
  it('has the fields in their order, whatever their names and types', () => {
    const document = { ü: 'ä', b: { c: [1, null, { d: true }] }, '': 2.5, long: 2n ** 40n, date: new Date(5) };
    const { buffer } = assembleDocument(fields(document));
    expect(buffer).to.deep.equal(Buffer.from(serialize(document)));
    expect(assembleDocument([]).bytes).to.deep.equal(Buffer.from(serialize({})));
  });

  it('is an array of any length', () => {
    const list = Array.from({ length: 1200 }, (_, i) => i);
    const [[, value] = ['', undefined]] = fields({ list });
    const items = value === undefined ? [] : itemsOf(value);
    expect(deserialize(assembleDocument([['list', assembleArray(items)]]).bytes)).to.deep.equal({ list });
  });
});
