import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { sealed as sealedForm } from '../../domain/core/personal.js';
import { PersonalDataError, type PersonalDataFault } from './personal-data-error.js';
import { masterKeyOf, newDataKey, openValue, sealValue, unwrapKey, wrapKey } from './sealing.js';

const subject = 'user:018f3c1a-0000-7000-8000-000000000001';
const other = 'user:018f3c1a-0000-7000-8000-000000000002';
const master = () => masterKeyOf(randomBytes(32).toString('hex'));

function expectFault(code: PersonalDataFault, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(PersonalDataError);
    expect((error as PersonalDataError).code).to.equal(code);
    return;
  }
  throw new Error(`expected ${code}`);
}

/** Every text that differs from the given one in one character of its own alphabet. */
function* neighbours(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    for (const letter of ['A', 'B', '_', '.', '=', ' ']) {
      if (text[at] !== letter) yield text.slice(0, at) + letter + text.slice(at + 1);
    }
  }
}

describe('a sealed value', () => {
  it('opens to any text that was sealed, and has the stored form', () => {
    const key = newDataKey();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const value = sealValue(key, subject, 'name', text);
        expect(sealedForm.safeParse(value).success).to.equal(true);
        expect(openValue(key, subject, 'name', value)).to.equal(text);
      }),
    );
  });

  it('is another one each time', () => {
    const key = newDataKey();
    const values = new Set(Array.from({ length: 1_000 }, () => sealValue(key, subject, 'name', 'Ada')));
    expect(values.size).to.equal(1_000);
  });

  it('does not open for another subject, another field or under another key', () => {
    const key = newDataKey();
    const value = sealValue(key, subject, 'name', 'Ada');
    expectFault('sealed-value-unreadable', () => openValue(key, other, 'name', value));
    expectFault('sealed-value-unreadable', () => openValue(key, subject, 'phone', value));
    expectFault('sealed-value-unreadable', () => openValue(newDataKey(), subject, 'name', value));
  });

  it('does not open when any one character was changed, spare bits of the encoding included', () => {
    const key = newDataKey();
    const value = sealValue(key, subject, 'name', 'Ada L');
    for (const changed of neighbours(value)) {
      expectFault('sealed-value-unreadable', () => openValue(key, subject, 'name', changed));
    }
  });

  it('does not open when it was cut or is something else', () => {
    const key = newDataKey();
    const value = sealValue(key, subject, 'name', 'Ada');
    for (const wrong of ['', 'v1', 'v1...', value.slice(0, -1), `${value}A`, value.replace('v1', 'v2'), `${value}.x`]) {
      expectFault('sealed-value-unreadable', () => openValue(key, subject, 'name', wrong));
    }
  });
});

describe('a wrapped data key', () => {
  it('unwraps to the key that was wrapped', () => {
    const wrapping = master();
    const key = newDataKey();
    const back = unwrapKey(wrapping, subject, wrapKey(wrapping, subject, key));
    expect(back.equals(key)).to.equal(true);
  });

  it('does not unwrap for another subject, under another master key, or when changed', () => {
    const wrapping = master();
    const wrapped = wrapKey(wrapping, subject, newDataKey());
    expectFault('data-key-unreadable', () => unwrapKey(wrapping, other, wrapped));
    expectFault('data-key-unreadable', () => unwrapKey(master(), subject, wrapped));
    for (const changed of neighbours(wrapped)) {
      expectFault('data-key-unreadable', () => unwrapKey(wrapping, subject, changed));
    }
  });
});

describe('a master key', () => {
  it('has an id that tells it from others and does not give it away', () => {
    const hex = randomBytes(32).toString('hex');
    expect(masterKeyOf(hex).id).to.equal(masterKeyOf(hex.toUpperCase()).id);
    expect(masterKeyOf(hex).id).not.to.equal(master().id);
    expect(hex).not.to.include(masterKeyOf(hex).id);
  });

  it('is refused when it has not 32 bytes', () => {
    for (const wrong of ['', 'ab'.repeat(31), 'zz'.repeat(32), 'ab'.repeat(33)]) {
      expect(() => masterKeyOf(wrong)).to.throw();
    }
  });
});
