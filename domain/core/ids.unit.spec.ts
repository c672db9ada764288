import { expect } from 'chai';
import { countryCode, positiveQuantity, timestamp, uuid } from './ids.js';

describe('a uuid', () => {
  it('is kept in lower case, because it becomes part of a stream name', () => {
    expect(uuid.parse('018F3C1A-0000-7000-8000-00000000000A')).to.equal('018f3c1a-0000-7000-8000-00000000000a');
  });

  it('is nothing else', () => {
    const good = '018f3c1a-0000-7000-8000-00000000000a';
    for (const bad of [
      '',
      'a',
      good.slice(1),
      `${good}0`,
      `{${good}}`,
      `${good}\n`,
      good.replaceAll('-', ''),
      1,
      null,
    ]) {
      expect(uuid.safeParse(bad).success, JSON.stringify(bad)).to.equal(false);
    }
  });
});

describe('a timestamp', () => {
  it('is ISO 8601 in UTC, with or without fractions', () => {
    for (const good of [new Date(0).toISOString(), '2026-02-28T23:59:59Z', '2024-02-29T00:00:00.123456Z']) {
      expect(timestamp.safeParse(good).success, good).to.equal(true);
    }
  });

  it('is no local time, no other zone, and no day that does not exist', () => {
    const bad = [
      '2026-03-01',
      '2026-03-01T10:00:00',
      '2026-03-01T10:00:00+01:00',
      '2026-02-29T00:00:00Z',
      '',
      'now',
      0,
    ];
    for (const value of bad) expect(timestamp.safeParse(value).success, String(value)).to.equal(false);
  });
});

describe('a quantity', () => {
  it('is a whole number from 1 to a thousand million', () => {
    for (const good of [1, 1_000_000_000]) expect(positiveQuantity.safeParse(good).success).to.equal(true);
    for (const bad of [0, -1, 0.5, 1_000_000_001, Number.NaN, '1', null]) {
      expect(positiveQuantity.safeParse(bad).success, String(bad)).to.equal(false);
    }
  });
});

describe('a country code', () => {
  it('is two capital letters', () => {
    expect(countryCode.safeParse('GB').success).to.equal(true);
    for (const bad of ['gb', 'GBR', 'G', '', 'GB\n', 'G1'])
      expect(countryCode.safeParse(bad).success, bad).to.equal(false);
  });
});
