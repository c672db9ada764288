import { createCipheriv, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { personal, personalSubject, sealed } from './personal.js';

/** As the runtime seals a value: AES-256-GCM, a nonce of 12 bytes, a tag of 16. */
function seal(text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', randomBytes(32), nonce);
  const parts = [nonce, Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]), cipher.getAuthTag()];
  return ['v1', ...parts.map((part) => part.toString('base64url'))].join('.');
}

const user = 'user:018f3c1a-0000-7000-8000-000000000001';
const schema = personal(['email', 'name']);
const good = seal('ada@example.com');

describe('a sealed value', () => {
  it('is what AES-256-GCM gives for any text, the empty one included', () => {
    for (const text of ['', 'a', 'ada@example.com', '東京', 'x'.repeat(5000)]) {
      expect(sealed.safeParse(seal(text)).success, text.slice(0, 20)).to.equal(true);
    }
  });

  const [version, nonce, text, tag] = good.split('.');
  const bad = {
    'plain text': 'ada@example.com',
    'an empty text': '',
    'another version': ['v2', nonce, text, tag].join('.'),
    'a short nonce': [version, nonce?.slice(1), text, tag].join('.'),
    'a short tag': [version, nonce, text, tag?.slice(1)].join('.'),
    'no tag': [version, nonce, text].join('.'),
    'a fifth part': `${good}.x`,
    'plain base64': [version, nonce, '+/==', tag].join('.'),
    'a line break': `${good}\n`,
    'a number': 1,
  };
  for (const [what, value] of Object.entries(bad)) {
    it(`is not ${what}`, () => {
      expect(sealed.safeParse(value).success).to.equal(false);
    });
  }
});

describe('a subject', () => {
  it('is a user, or an order of a guest', () => {
    expect(personalSubject.safeParse(user).success).to.equal(true);
    expect(personalSubject.safeParse(user.replace('user', 'order')).success).to.equal(true);
    for (const bad of ['user:', 'user:1', user.replace('user', 'shop'), user.toUpperCase(), `${user}\n`, ` ${user}`]) {
      expect(personalSubject.safeParse(bad).success, JSON.stringify(bad)).to.equal(false);
    }
  });
});

describe('personal fields', () => {
  it('are all optional', () => {
    for (const fields of [{}, { email: good }, { name: good }, { email: good, name: good }]) {
      expect(schema.parse({ subject: user, fields })).to.deep.equal({ subject: user, fields });
    }
  });

  const refused = {
    'a field in the clear': { subject: user, fields: { name: 'Ada' } },
    'an unknown field': { subject: user, fields: { phone: good } },
    'a field that is null': { subject: user, fields: { name: null } },
    'no subject': { fields: { name: good } },
    'no fields': { subject: user },
    'something beside them': { subject: user, fields: {}, name: 'Ada' },
  };
  for (const [what, value] of Object.entries(refused)) {
    it(`do not come with ${what}`, () => {
      expect(schema.safeParse(value).success).to.equal(false);
    });
  }
});
