import { expect } from 'chai';
import fc from 'fast-check';
import { DomainError } from './domain-error.js';
import { currencyCode, decimalsOf, minorUnits, toDecimal, toMinorUnits } from './money.js';

function refusalOf(amount: number | string, currency: string): string | undefined {
  try {
    toMinorUnits(amount, currency);
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return undefined;
}

/** Fifteen digits: what a decimal number of an answer shows without loss. */
const largest = 999_999_999_999_999;
const perPrecision = [
  ['JPY', 0],
  ['GBP', 2],
  ['KWD', 3],
] as const;

describe('the decimals of a currency', () => {
  it('are those of ISO 4217, two where nothing else is known', () => {
    for (const [currency, decimals] of perPrecision) expect(decimalsOf(currency)).to.equal(decimals);
    expect(decimalsOf('USD')).to.equal(2);
    expect(decimalsOf('ZZZ')).to.equal(2);
  });
});

describe('a decimal amount', () => {
  const amounts: [number | string, string, number][] = [
    [29.99, 'GBP', 2999],
    ['29.99', 'GBP', 2999],
    [0, 'GBP', 0],
    [-0, 'GBP', 0],
    ['0.00', 'GBP', 0],
    [0.01, 'GBP', 1],
    [0.1, 'GBP', 10],
    ['0.10', 'GBP', 10],
    [1, 'GBP', 100],
    [1.1, 'GBP', 110],
    // The classic losers of a multiplication by 100.
    [4.35, 'GBP', 435],
    [8.2, 'GBP', 820],
    [1.15, 'GBP', 115],
    [64.1, 'GBP', 6410],
    ['007.50', 'GBP', 750],
    [500, 'JPY', 500],
    ['0', 'JPY', 0],
    [1.234, 'KWD', 1234],
    [0.001, 'KWD', 1],
    ['12.5', 'KWD', 12_500],
    ['9999999999999.99', 'GBP', 999_999_999_999_999],
    [9999999999999.99, 'GBP', 999_999_999_999_999],
    ['999999999999.999', 'KWD', largest],
    [9_999_999_999_999, 'JPY', 9_999_999_999_999],
  ];
  for (const [amount, currency, minor] of amounts) {
    it(`${JSON.stringify(amount)} ${currency} is ${minor} minor units`, () => {
      expect(toMinorUnits(amount, currency)).to.equal(minor);
    });
  }

  const tooPrecise: [number | string, string][] = [
    [0.001, 'GBP'],
    ['1.000', 'GBP'],
    [0.1 + 0.2, 'GBP'],
    [1.5, 'JPY'],
    ['1.0', 'JPY'],
    [1.2345, 'KWD'],
  ];
  for (const [amount, currency] of tooPrecise) {
    it(`${JSON.stringify(amount)} ${currency} has too many decimals`, () => {
      expect(refusalOf(amount, currency)).to.equal('price-precision');
    });
  }

  const noAmounts = [
    ...[-1, -0.01, 1e21, 1e-7, 1e15, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ...['', ' ', '-1', '+1', '1.', '.5', '.', '1e3', '1E3', '0x10', '0b1', '1,50', '1_000', ' 1', '1 ', '1\n', '\t1'],
    ...[
      '1.2.3',
      '--1',
      'NaN',
      'Infinity',
      'null',
      'one',
      '£1',
      '1£',
      '１２',
      '٣',
      '²',
      '1\u0000',
      '10000000000000',
      '½',
    ],
  ];
  for (const amount of noAmounts) {
    it(`${JSON.stringify(amount) ?? amount} (${typeof amount}) is refused as no amount`, () => {
      expect(refusalOf(amount, 'GBP')).to.equal('price-not-positive');
    });
  }

  it('is refused where a number could not show it again', () => {
    expect(refusalOf('1000000000000', 'KWD')).to.equal('price-not-positive');
    expect(refusalOf(Number('9007199254740.991'), 'KWD')).to.equal('price-not-positive');
    expect(refusalOf('9007199254740.993', 'KWD')).to.equal('price-not-positive');
  });

  it('of any text is a safe integer of minor units or refused with a code', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789.-+e ,'), maxLength: 20 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), digits), fc.constantFrom('JPY', 'GBP', 'KWD'), (text, currency) => {
        const code = refusalOf(text, currency);
        if (code === undefined) expect(minorUnits.safeParse(toMinorUnits(text, currency)).success).to.equal(true);
        else expect(['price-precision', 'price-not-positive']).to.include(code);
      }),
    );
  });

  it('of any number is what its own decimals say, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.float(), fc.integer(), fc.maxSafeNat()), (amount) => {
        const code = refusalOf(amount, 'GBP');
        if (code === undefined) expect(toDecimal(toMinorUnits(amount, 'GBP'), 'GBP')).to.equal(Math.abs(amount));
      }),
    );
  });
});

describe('minor units', () => {
  it('are shown as decimals', () => {
    expect(toDecimal(2999, 'GBP')).to.equal(29.99);
    expect(toDecimal(5, 'GBP')).to.equal(0.05);
    expect(toDecimal(0, 'GBP')).to.equal(0);
    expect(toDecimal(100, 'GBP')).to.equal(1);
    expect(toDecimal(500, 'JPY')).to.equal(500);
    expect(toDecimal(0, 'JPY')).to.equal(0);
    expect(toDecimal(7, 'KWD')).to.equal(0.007);
  });

  it('below zero, as a refund in a report is, keep their sign', () => {
    expect(toDecimal(-2999, 'GBP')).to.equal(-29.99);
    expect(toDecimal(-5, 'GBP')).to.equal(-0.05);
    expect(toDecimal(-500, 'JPY')).to.equal(-500);
    expect(toDecimal(-7, 'KWD')).to.equal(-0.007);
  });

  for (const [currency, decimals] of perPrecision) {
    const most = Math.min(largest, 10 ** (13 + decimals) - 1);
    it(`of ${currency} come back unchanged from a number and from text`, () => {
      const minor = fc.oneof(
        fc.integer({ min: 0, max: 100_000 }),
        fc.integer({ min: 0, max: most }),
        fc.constant(most),
      );
      fc.assert(
        fc.property(minor, (units) => {
          const digits = String(units).padStart(decimals + 1, '0');
          const whole = digits.slice(0, digits.length - decimals);
          const text = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
          expect(toMinorUnits(toDecimal(units, currency), currency)).to.equal(units);
          expect(toMinorUnits(JSON.parse(JSON.stringify(toDecimal(units, currency))), currency)).to.equal(units);
          expect(toMinorUnits(text, currency)).to.equal(units);
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('are stored as safe integers from zero on', () => {
    for (const good of [0, 1, Number.MAX_SAFE_INTEGER]) expect(minorUnits.safeParse(good).success).to.equal(true);
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
      expect(minorUnits.safeParse(bad).success, String(bad)).to.equal(false);
    }
  });
});

describe('a currency code', () => {
  it('is three capital letters', () => {
    expect(currencyCode.safeParse('GBP').success).to.equal(true);
    for (const bad of ['gbp', 'GB', 'GBPS', 'G1P', '', 'GBP\n', ' GBP', 'ÄÖÜ']) {
      expect(currencyCode.safeParse(bad).success, JSON.stringify(bad)).to.equal(false);
    }
  });
});
