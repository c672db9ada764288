import { serialize } from 'bson';
import { expect } from 'chai';
import fc from 'fast-check';
import { joinKeys, type KeyPart } from './joined-key.js';
import { emptyArrayKey, encodeKey, invert, missingKey } from './key-encoding.js';
import { documentValue, getField } from './value.js';

const part = (js: unknown): KeyPart =>
  js === 'nothing' || js === 'empty'
    ? js === 'empty'
      ? 'empty'
      : undefined
    : getField(documentValue(Buffer.from(serialize({ v: js }))), Buffer.from('v'));

const plainKey = (of: KeyPart) => (of === undefined ? missingKey : of === 'empty' ? emptyArrayKey : encodeKey(of));

const anything = fc.oneof(
  fc.constantFrom<unknown>('nothing', 'empty', null, true, Number.NaN, -0, Number.NEGATIVE_INFINITY),
  fc.double(),
  fc.integer(),
  fc.date({ noInvalidDate: true }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ minLength: 1_000, maxLength: 2_000 }),
  fc.array(fc.integer(), { maxLength: 3 }),
);

describe('a joined key', () => {
  it('is the keys of its parts one after the other, each in its direction', () => {
    const fields = fc.array(fc.record({ value: anything, descending: fc.boolean() }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fields, (of) => {
        const parts = of.map(({ value }) => part(value));
        const single = parts.map((key, at) => (of[at]?.descending === true ? invert(plainKey(key)) : plainKey(key)));
        expect(joinKeys(parts, of).equals(Buffer.concat(single))).to.equal(true);
      }),
    );
  });

  it('is not changed by the next one', () => {
    const [first, second] = [
      joinKeys([part('a')], [{ descending: false }]),
      joinKeys([part('b')], [{ descending: false }]),
    ];
    expect(first.equals(encodeKey(part('a') as never))).to.equal(true);
    expect(second.equals(first)).to.equal(false);
  });
});
