import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeHead,
  deletedBefore,
  encodeHead,
  firstReadable,
  type Head,
  isDeleted,
  metadataTarget,
  noTruncation,
  parseTruncation,
} from './head.js';
import { DamageError } from './record.js';

const key = Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]);
const head = (revision: number, truncation = {}): Head => ({
  revision,
  tombstoned: false,
  truncation: { ...noTruncation, ...truncation },
});
const parse = (json: string) => parseTruncation(Buffer.from(json));

describe('the head of a stream', () => {
  it('comes back from its stored form', () => {
    const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const any = fc.record({
      revision: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER - 1 }),
      tombstoned: fc.boolean(),
      truncation: fc.record({ before: number, maxCount: number, maxAge: number }),
    });
    fc.assert(
      fc.property(any, (given) => {
        expect(decodeHead(key, encodeHead(key, given), 's')).to.deep.equal(given);
      }),
    );
  });

  it('is refused with a byte changed, or under another stream', () => {
    for (let at = 0; at < 40; at += 1) {
      const value = encodeHead(key, head(3));
      value[at] = (value[at] ?? 0) ^ 1;
      expect(() => decodeHead(key, value, 's'), `byte ${at}`).to.throw(DamageError);
    }
    expect(() => decodeHead(Buffer.alloc(8), encodeHead(key, head(3)), 's')).to.throw(DamageError);
  });

  it('says which revision may be read first', () => {
    expect(firstReadable('s', head(9))).to.equal(0);
    expect(firstReadable('s', head(9, { maxCount: 3 }))).to.equal(7);
    expect(firstReadable('s', head(1, { maxCount: 3 }))).to.equal(0);
    expect(firstReadable('s', head(9, { maxCount: 3, before: 8 }))).to.equal(8);
    expect(firstReadable('$$s', head(9))).to.equal(9);
  });
});

describe('stream metadata', () => {
  it('set truncation', () => {
    expect(parse('{"$maxCount":3,"$maxAge":60,"$tb":2,"own":1}')).to.deep.equal({ maxCount: 3, maxAge: 60, before: 2 });
  });

  it('mark a stream as deleted by the largest $tb', () => {
    const truncation = parse('{"$tb":9223372036854775807}');
    expect(truncation.before).to.equal(deletedBefore);
    expect(isDeleted(head(3, truncation))).to.equal(true);
  });

  for (const json of [
    '',
    'null',
    '[]',
    '"x"',
    '{"$maxCount":"3"}',
    '{"$maxCount":-1,"$maxAge":0,"$tb":null}',
    '{bad',
  ]) {
    it(`say nothing when they are ${json || 'empty'}`, () => expect(parse(json)).to.deep.equal(noTruncation));
  }

  it('belong to the stream without the $$', () => {
    expect(metadataTarget('$$order-1')).to.equal('order-1');
    expect(metadataTarget('$$$system')).to.equal('$system');
    expect(metadataTarget('order-1')).to.equal(undefined);
    expect(metadataTarget('$$')).to.equal(undefined);
    expect(metadataTarget('$$$$order-1')).to.equal(undefined);
  });
});
