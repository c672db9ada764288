import { expect } from 'chai';
import { z } from 'zod';
import { loadConfig } from '../runtime/config.js';
import { countedTiers, defaultLimits, limitNames, limitTable, unreachableTiers } from './rate-limit-table.js';

const parse = (text: string) => limitTable.safeParse(text);

describe('the table of limits', () => {
  for (const name of limitNames) {
    it(`has no tier for ${name} that could never refuse`, () => {
      expect(defaultLimits[name]).to.not.have.length(0);
      expect(unreachableTiers(defaultLimits[name])).to.deep.equal([]);
    });
  }

  it('counts bursts on top of what the longest tier gives in their time', () => {
    expect(countedTiers(defaultLimits.default)).to.deep.equal([
      { points: 27, seconds: 1 },
      { points: 267, seconds: 10 },
      { points: 1_000, seconds: 60 },
    ]);
  });

  it('knows tiers that can never refuse', () => {
    const ten = { points: 10, seconds: 1 };
    const hundred = { points: 100, seconds: 10 };
    const thousand = { points: 1_000, seconds: 60 };
    // As they stand in the brief: ten a second let no more than 600 through in a minute.
    expect(unreachableTiers([ten, hundred, thousand])).to.deep.equal([hundred, thousand]);
    expect(unreachableTiers([ten, { points: 9, seconds: 60 }])).to.deep.equal([ten]);
    expect(unreachableTiers([ten, { points: 10, seconds: 60 }])).to.deep.equal([ten]);
    expect(unreachableTiers([ten, { points: 599, seconds: 60 }])).to.deep.equal([]);
  });
});

describe('RATE_LIMITS', () => {
  it('changes the limits it names and leaves the others', () => {
    const table = limitTable.parse('{"payments":[{"points":3,"seconds":60}],"products":[]}');
    expect(table).to.deep.equal({ ...defaultLimits, payments: [{ points: 3, seconds: 60 }], products: [] });
    expect(limitTable.parse(undefined)).to.deep.equal(defaultLimits);
  });

  for (const text of [
    '{',
    '[]',
    '{"else":[]}',
    '{"default":[{"points":0,"seconds":1}]}',
    '{"default":[{"points":1.5,"seconds":1}]}',
    '{"default":[{"points":1,"seconds":1,"per":"user"}]}',
    '{"default":[{"points":10,"seconds":1},{"points":1000,"seconds":60}]}',
    '{"default":[{"points":10,"seconds":1,"burst":true}]}',
    '{"__proto__":[{"points":1,"seconds":1}],"a":1}',
  ]) {
    it(`is refused as ${text}`, () => {
      expect(parse(text).success).to.equal(false);
      expect(() => loadConfig(z.object({ RATE_LIMITS: limitTable }), { RATE_LIMITS: text })).to.throw('RATE_LIMITS');
    });
  }
});
