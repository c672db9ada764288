import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalize } from 'json-canonicalize';
import { v5 } from 'uuid';
import { canonicalJson, deriveId, hmac, idOf, newId, sha256 } from './ids.js';

/** STORED FORMAT: these values stand in logs. A change that breaks them breaks every log there is. */
describe('derived ids', () => {
  it('are the same for ever', () => {
    expect(deriveId('a', 'b')).to.equal('3c4135a6-75c9-5209-95e0-eedaf2428338');
    expect(deriveId('command', 1)).to.equal('0552507b-9a53-57c8-a782-2f1a3daaeb1b');
    expect(idOf('a')).to.equal('d672531e-e895-5b80-8f7f-99a8abdbbcad');
    expect(deriveId('Ærø', '🚲')).to.equal('aa58e86e-ad50-56f2-9bf9-7cd43acb222b');
  });

  it('are numbers and texts alike, and differ by order and by part', () => {
    expect(deriveId('command', 1)).to.equal(deriveId('command', '1'));
    const ids = [deriveId('a', 'b'), deriveId('b', 'a'), deriveId('ab'), deriveId('a', 'b', ''), deriveId('a b')];
    expect(new Set(ids).size).to.equal(ids.length);
  });
});

describe('an id of a text', () => {
  it('is what everybody else makes of it', () => {
    const namespace = '6f1c2a52-8d0b-5c43-9a77-3c1d0f5b7e21';
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => idOf(text) === v5(text, namespace)));
  });
});

describe('fresh ids', () => {
  it('are version 7, never twice, in order of time', () => {
    const ids = Array.from({ length: 1_000 }, newId);
    for (const id of ids) expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).to.equal(1_000);
    expect([...ids].sort()).to.deep.equal(ids);
  });
});

describe('hashes', () => {
  it('are those that everybody computes', () => {
    expect(sha256('')).to.equal('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(sha256('abc')).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    // RFC 4231, test case 1
    expect(hmac('0b'.repeat(20), 'Hi There')).to.equal(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
  });
});

describe('canonical JSON', () => {
  it('orders keys by UTF-16 code units and writes numbers as ECMAScript does', () => {
    const value = {
      10: 1,
      9: 2,
      '\ufb33': 3,
      '😀': 4,
      a: [1e21, -0, 0.1, 1e-7, true, null],
      A: { z: '\u0001"\\', y: {} },
    };
    expect(canonicalJson(value)).to.equal(
      '{"10":1,"9":2,"A":{"y":{},"z":"\\u0001\\"\\\\"},"a":[1e+21,0,0.1,1e-7,true,null],"😀":4,"\ufb33":3}',
    );
  });

  it('is what everybody else writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => canonicalJson(value) === canonicalize(value)),
    );
    for (const text of ['\ud800', 'a\udc00b', '\u2028\u007f/', '\b\f\n\r\t\u0000']) {
      expect(canonicalJson({ [text]: text })).to.equal(canonicalize({ [text]: text }));
    }
    const day = new Date(0);
    expect(canonicalJson({ day })).to.equal(canonicalize({ day }));
  });

  it('leaves out keys of no value, as JSON does', () => {
    expect(canonicalJson({ a: undefined, b: [undefined] })).to.equal('{"b":[null]}');
  });

  it('refuses what JSON cannot hold', () => {
    expect(() => canonicalJson({ a: Number.NaN })).to.throw();
    expect(() => canonicalJson({ a: Number.POSITIVE_INFINITY })).to.throw();
    expect(() => canonicalJson({ a: 1n })).to.throw(TypeError);
  });
});
