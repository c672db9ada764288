import { expect } from 'chai';
import fc from 'fast-check';
import { CommandFault } from '../fault.js';
import { csvParser } from './csv.js';

const parse = (...pieces: string[]) => {
  const parser = csvParser();
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
};
const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;

describe('CSV', () => {
  it('is read record by record, with either line end and none after the last', () => {
    for (const text of ['a,b\nc,d', 'a,b\r\nc,d\r\n', 'a,b\n\nc,d\n', 'a,b\rc,d']) {
      expect(parse(text), JSON.stringify(text)).to.deep.equal([
        ['a', 'b'],
        ['c', 'd'],
      ]);
    }
  });

  it('keeps empty fields, and commas, quotes and line ends in quotes', () => {
    expect(parse('a,,\n')).to.deep.equal([['a', '', '']]);
    expect(parse('"a,""b""\r\nc",,""\n')).to.deep.equal([['a,"b"\r\nc', '', '']]);
    expect(parse('5" nail,x')).to.deep.equal([['5" nail', 'x']]);
  });

  it('that ends inside of a quoted field is refused', () => {
    expect(() => parse('a,"b\n')).to.throw(CommandFault);
  });

  it('is the same wherever it is cut', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', '£') });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(200), { maxLength: 6 }),
        (records, end, cuts) => {
          const text = records.map((record) => record.map(quoted).join(',') + end).join('');
          const at = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].sort((a, b) => a - b);
          const pieces = [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length));
          expect(parse(...pieces)).to.deep.equal(records);
        },
      ),
    );
  });
});
