import { expect } from 'chai';
import { z } from 'zod';
import { createCatalog, DecodeError, defineEvent, type JsonObject } from './event-codec.js';
import { currencyCode, minorUnits } from './money.js';

function faultOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
  return undefined;
}

const noted = defineEvent({
  type: 'test.noted',
  data: z.strictObject({ text: z.string(), tag: z.string().optional() }),
});
const catalog = createCatalog([noted]);

describe('encoding an event', () => {
  it('gives the newest version and the data', () => {
    expect(catalog.encode({ type: 'test.noted', data: { text: 'a' } })).to.deep.equal({
      version: 1,
      data: { text: 'a' },
    });
  });

  it('refuses an unknown type', () => {
    expect(faultOf(() => catalog.encode({ type: 'test.other', data: {} }))).to.equal('event-type-unknown');
  });

  for (const data of [{}, { text: 1 }, { text: 'a', more: 1 }, null, undefined, 'a', []]) {
    it(`refuses the data ${JSON.stringify(data)}`, () => {
      expect(faultOf(() => catalog.encode({ type: 'test.noted', data }))).to.equal('event-data-invalid');
    });
  }

  it('names the field at fault and never its value, which may be personal', () => {
    expect(() => catalog.encode({ type: 'test.noted', data: { text: 12_345 } }))
      .to.throw(DecodeError)
      .with.property('message')
      .that.includes('text')
      .and.not.includes('12345');
  });
});

describe('decoding an event', () => {
  it('gives back what was encoded', () => {
    const event = { type: 'test.noted', data: { text: 'a', tag: 'b' } };
    const { version, data } = catalog.encode(event);
    expect(catalog.decode(event.type, version, JSON.parse(JSON.stringify(data)))).to.deep.equal(event);
  });

  it('refuses an unknown type', () => {
    expect(faultOf(() => catalog.decode('test.other', 1, {}))).to.equal('event-type-unknown');
    expect(catalog.knows('test.noted')).to.equal(true);
    expect(catalog.knows('test.other')).to.equal(false);
  });

  it('refuses a version that only a newer build knows', () => {
    expect(faultOf(() => catalog.decode('test.noted', 2, { text: 'a' }))).to.equal('event-version-newer');
  });

  for (const version of [0, -1, 1.5, Number.NaN]) {
    it(`refuses ${version} as a version`, () => {
      expect(faultOf(() => catalog.decode('test.noted', version, { text: 'a' }))).to.equal('event-version-invalid');
    });
  }

  for (const data of [{}, { text: 1 }, { text: 'a', more: 1 }, null, undefined, 'a', []]) {
    it(`refuses the stored data ${JSON.stringify(data)}`, () => {
      expect(faultOf(() => catalog.decode('test.noted', 1, data))).to.equal('event-data-invalid');
    });
  }
});

/**
 * The example of upcasting in place. Stored by version 1: a price as a decimal, of a shop that knew pounds only. By
 * version 2: minor units beside a currency. By version 3: the amount in an object of its own, and a list of tags.
 */
const priced = defineEvent({
  type: 'test.priced',
  version: 3,
  data: z.strictObject({
    sku: z.string(),
    price: z.strictObject({ amount: minorUnits, currency: currencyCode }),
    tags: z.array(z.string()),
  }),
  upcasters: {
    1: ({ price, ...rest }) => ({ ...rest, price_minor: Math.round(Number(price) * 100), currency: 'GBP' }),
    2: ({ price_minor, currency, ...rest }) => ({ ...rest, price: { amount: price_minor, currency }, tags: [] }),
  },
});

describe('an event type that has changed its shape twice', () => {
  const shop = createCatalog([priced, noted]);
  const newest = { sku: 'MUG-1', price: { amount: 1250, currency: 'GBP' }, tags: [] };

  it('reads what version 1 stored as the newest shape', () => {
    expect(shop.decode('test.priced', 1, { sku: 'MUG-1', price: 12.5 })).to.deep.equal({
      type: 'test.priced',
      data: newest,
    });
  });

  it('reads what version 2 stored as the newest shape', () => {
    const stored = { sku: 'MUG-1', price_minor: 999, currency: 'EUR' };
    expect(shop.decode('test.priced', 2, stored).data).to.deep.equal({
      sku: 'MUG-1',
      price: { amount: 999, currency: 'EUR' },
      tags: [],
    });
  });

  it('reads what version 3 stored as it is', () => {
    expect(shop.decode('test.priced', 3, newest).data).to.deep.equal(newest);
  });

  it('stores the newest version, so that nothing old is written any more', () => {
    expect(shop.encode({ type: 'test.priced', data: newest })).to.deep.equal({ version: 3, data: newest });
    expect(faultOf(() => shop.encode({ type: 'test.priced', data: { sku: 'MUG-1', price: 12.5 } }))).to.equal(
      'event-data-invalid',
    );
  });

  it('leaves the stored data as they were', () => {
    const stored = Object.freeze({ sku: 'MUG-1', price: 12.5 });
    shop.decode('test.priced', 1, stored);
    expect(stored).to.deep.equal({ sku: 'MUG-1', price: 12.5 });
  });

  it('refuses stored data that fit no version, whatever the upcasters make of them', () => {
    for (const data of [{}, { sku: 'MUG-1' }, null, undefined, 'text', 7, []]) {
      expect(
        faultOf(() => shop.decode('test.priced', 1, data)),
        JSON.stringify(data),
      ).to.equal('event-data-invalid');
    }
    // Of version 1, stored as version 2 by mistake.
    expect(faultOf(() => shop.decode('test.priced', 2, { sku: 'MUG-1', price: 12.5 }))).to.equal('event-data-invalid');
  });

  it('refuses version 4', () => {
    expect(faultOf(() => shop.decode('test.priced', 4, newest))).to.equal('event-version-newer');
  });
});

describe('an upcaster that stumbles over damaged data', () => {
  const brittle = defineEvent({
    type: 'test.brittle',
    version: 2,
    data: z.strictObject({ first: z.string() }),
    upcasters: { 1: (data) => ({ first: (data['names'] as string[])[0] }) },
  });

  it('is told as invalid data of that event, like every fault a reader can park', () => {
    const shop = createCatalog([brittle]);
    expect(shop.decode('test.brittle', 1, { names: ['Ada'] }).data).to.deep.equal({ first: 'Ada' });
    expect(faultOf(() => shop.decode('test.brittle', 1, {}))).to.equal('event-data-invalid');
  });
});

describe('declaring event types', () => {
  const data = z.strictObject({});
  const same = (old: JsonObject) => old;

  it('needs an upcaster from every version below the newest', () => {
    expect(() => defineEvent({ type: 'test.gap', version: 3, data, upcasters: { 2: same } })).to.throw(Error);
    expect(() => defineEvent({ type: 'test.gap', version: 3, data, upcasters: { 1: same } })).to.throw(Error);
    expect(defineEvent({ type: 'test.gap', version: 3, data, upcasters: { 1: same, 2: same } }).version).to.equal(3);
  });

  it('needs each type only once', () => {
    expect(() => createCatalog([noted, defineEvent({ type: 'test.noted', data })])).to.throw(Error);
  });
});
