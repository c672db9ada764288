import { expect } from 'chai';
import { z } from 'zod';
import { fingerprint, list, metadata, parseForm, validate } from './form.js';
import { StripeError } from './stripe-error.js';

function refusal(act: () => unknown): StripeError {
  try {
    act();
  } catch (err) {
    if (err instanceof StripeError) return err;
    throw err;
  }
  throw new Error('nothing was refused');
}

describe('form encoding', () => {
  it('reads nested keys and lists', () => {
    const form = parseForm('amount=5&metadata[order_id]=a%20b&expand[]=x&expand[]=y&types[0]=card&deep[a][b]=1');
    expect(JSON.parse(JSON.stringify(form))).to.deep.equal({
      amount: '5',
      metadata: { order_id: 'a b' },
      expand: { '0': 'x', '1': 'y' },
      types: { '0': 'card' },
      deep: { a: { b: '1' } },
    });
    expect(validate(list(z.string()), parseForm('a[]=x&a[]=y')['a'] as never)).to.deep.equal(['x', 'y']);
  });

  it('keeps prototype names as plain keys', () => {
    const form = parseForm('__proto__[polluted]=1&metadata[__proto__]=2&constructor[prototype]=3');
    expect(Object.keys(form)).to.deep.equal(['__proto__', 'metadata', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
  });

  for (const text of ['a[b=1', 'a]b[=1', '[a]=1', 'a[b][c][d]=1', 'a=1&a[b]=2', 'a[b]=1&a=2', 'a[b]c=1', '=1']) {
    it(`refuses ${text}`, () => {
      expect(refusal(() => parseForm(text)).status).to.equal(400);
    });
  }

  it('has one fingerprint for the same parameters in any order, and another for others', () => {
    expect(fingerprint('/a', 'x=1&y=2')).to.equal(fingerprint('/a', 'y=2&x=1'));
    const others = [
      fingerprint('/b', 'x=1&y=2'),
      fingerprint('/a', 'x=2&y=1'),
      fingerprint('/a', 'x=1'),
      fingerprint('/a', 'x=1%26y=2'),
    ];
    expect(new Set([fingerprint('/a', 'x=1&y=2'), ...others]).size).to.equal(5);
  });

  it('names the parameter that is missing, unknown or wrong', () => {
    const schema = z.strictObject({ amount: z.string(), metadata: metadata.default({}) });
    const refused = (text: string) => refusal(() => validate(schema, parseForm(text))).body;
    expect(refused('')).to.include({ code: 'parameter_missing', param: 'amount' });
    expect(refused('amount=1&other=2')).to.include({ code: 'parameter_unknown', param: 'other' });
    expect(refused('amount[x]=1')).to.include({ type: 'invalid_request_error', param: 'amount' });
    expect(refused(`amount=1&metadata[k]=${'v'.repeat(501)}`)).to.include({ param: 'metadata[k]' });
  });
});
