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

  it('takes a like time where there is nobody to verify it for', async () => {
    const hashed = await hashPassword('correct horse');
    await verifyPassword(undefined, 'warm up');
    const time = async (of: string | undefined) => {
      const started = performance.now();
      await verifyPassword(of, 'wrong');
      return performance.now() - started;
    };
    const rounds = Array.from({ length: 5 });
    let somebody = Number.POSITIVE_INFINITY;
    let nobody = Number.POSITIVE_INFINITY;
    for (const _ of rounds) {
      somebody = Math.min(somebody, await time(hashed));
      nobody = Math.min(nobody, await time(undefined));
    }
    expect(nobody).to.be.greaterThan(somebody / 3);
    expect(nobody).to.be.lessThan(somebody * 3);
  }).timeout(10_000);

  it('waits its turn, and is refused when too many wait', async () => {
    const asked = Array.from({ length: 210 }, (_, index) => verifyPassword('no hash at all', `password ${index}`));
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.filter((one) => one.status === 'rejected' && one.reason instanceof Overloaded);
    expect(refused).to.have.length(8);
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
