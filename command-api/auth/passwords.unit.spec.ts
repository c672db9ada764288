import { expect } from 'chai';
import { Overloaded } from '../../runtime/event-store/event-log.js';
import { email, emailHmacOf } from './email.js';
import { hashPassword, newPassword, verifyPassword } from './passwords.js';

describe('a password', () => {
  it('is hashed with argon2id at the cost that is asked for, differently each time', async () => {
    const [one, other] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(one).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.to.equal(other);
  });

  it('is verified', async () => {
    const hashed = await hashPassword('correct horse');
    expect(await verifyPassword(hashed, 'correct horse')).to.equal(true);
    expect(await verifyPassword(hashed, 'correct horsf')).to.equal(false);
    expect(await verifyPassword(undefined, 'correct horse')).to.equal(false);
  });

  it('does the same work where there is none to compare with', async () => {
    expect(await verifyPassword(undefined, 'whatever')).to.equal(false);
    // It takes its place in the same queue, and is refused when that is full.
    const asked = Array.from({ length: 40 }, () => verifyPassword(undefined, 'whatever'));
    const refused = (await Promise.allSettled(asked)).filter((one) => one.status === 'rejected');
    expect(refused).to.have.length(40 - 26);
  });

  it('waits its turn, and is refused when too many wait', async () => {
    const asked = Array.from({ length: 210 }, (_, index) => verifyPassword('no hash at all', `password ${index}`));
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.filter((one) => one.status === 'rejected' && one.reason instanceof Overloaded);
    // Two are at work and 24 wait.
    expect(refused).to.have.length(210 - 26);
    expect(await hashPassword('afterwards')).to.match(/^\$argon2id/);
  });

  it('has 8 to 200 characters, however they were composed', () => {
    for (const wrong of ['', '1234567', 'x'.repeat(201), 12345678, null]) {
      expect(newPassword.safeParse(wrong).success).to.equal(false);
    }
    expect(newPassword.parse('e\u0301e\u0301e\u0301e\u0301e\u0301')).to.equal('ééééé'.normalize('NFC'));
  });
});

describe('an e-mail address', () => {
  it('is the same however it is written', () => {
    for (const text of ['ada@example.org', '  ADA@Example.ORG ', 'Ada@example.org\n']) {
      expect(email.parse(text)).to.equal('ada@example.org');
    }
    expect(email.parse('jose\u0301@example.org')).to.equal(email.parse('jos\u00e9@example.org'));
  });

  it('is refused where it is none', () => {
    const wrong = [
      '',
      'ada',
      'ada@',
      '@example.org',
      'a b@example.org',
      'a@b@c',
      'a\u0000@b.c',
      'a\u200b@b.c',
      `${'a'.repeat(400)}@b.c`,
    ];
    for (const text of [...wrong, { $gt: '' }, ['ada@example.org'], 7, null]) {
      expect(email.safeParse(text).success, JSON.stringify(text)).to.equal(false);
    }
  });

  it('is found again by an HMAC that depends on the secret', () => {
    const [one, other] = ['ab'.repeat(32), 'cd'.repeat(32)];
    expect(emailHmacOf(one, 'ada@example.org')).to.match(/^[0-9a-f]{64}$/);
    expect(emailHmacOf(one, 'ada@example.org')).to.equal(emailHmacOf(one, 'ada@example.org'));
    expect(emailHmacOf(one, 'ada@example.org')).not.to.equal(emailHmacOf(other, 'ada@example.org'));
  });
});
