import { expect } from 'chai';
import fc from 'fast-check';
import { z } from 'zod';
import { createCatalog, DecodeError, defineEvent, type JsonObject } from '../../domain/core/event-codec.js';
import { idOf } from '../ids.js';
import { chainStart, encodeEvent, eventHash, isUnchained, type MetadataSource } from './hash-chain.js';

const catalog = createCatalog([
  defineEvent({ type: 'test.noted', data: z.strictObject({ text: z.string(), count: z.number().optional() }) }),
  defineEvent({ type: 'test.anything', data: z.unknown() }),
]);
const source: MetadataSource = {
  source_service: 'test',
  $correlationId: '0198c3f4-0000-7000-8000-000000000001',
  $causationId: '0198c3f4-0000-7000-8000-000000000002',
  command_id: '0198c3f4-0000-7000-8000-000000000002',
  occurred_at: '2026-11-20T10:00:00.000Z',
};
const encode = (data: unknown, type = 'test.noted', from: MetadataSource = source, stream = 'note-1') =>
  encodeEvent(catalog, stream, 0n, chainStart, { type, data } as never, from);

/** The same value with the keys of every object the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner)]),
  );
}
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('an encoded event', () => {
  it('is the same bytes every time: STORED FORMAT, these values never change', () => {
    const { metadata, id, data, type } = encode({ text: 'Ærø 🚲', count: -0 });
    expect({ id, hash: metadata.hash, type, data: JSON.stringify(data) }).to.deep.equal(expectedEncoding);
    expect(metadata).to.deep.equal({ ...source, event_version: 1, hash: metadata.hash });
  });

  it('has an id that follows from its hash', () => {
    const { id, metadata } = encode({ text: 'a' });
    expect(id).to.equal(idOf(metadata.hash));
  });

  it('is hashed as the verifier hashes it', () => {
    const { type, data, metadata } = encode({ text: 'a' });
    expect(eventHash('note-1', 0n, chainStart, type, data, metadata)).to.equal(metadata.hash);
  });

  it('tells about how many bytes it takes', () => {
    const { data, metadata, bytes } = encode({ text: '🚲'.repeat(1_000) });
    const taken = Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata));
    expect(bytes).to.be.within(taken, taken + 1_000);
  });

  it('is refused when it does not fit its contract', () => {
    const fault = (data: unknown, type?: string) => {
      try {
        encode(data, type);
      } catch (error) {
        if (error instanceof DecodeError) return error.code;
        throw error;
      }
      return undefined;
    };
    expect(fault({ text: 1 })).to.equal('event-data-invalid');
    expect(fault({ text: 'a', more: 1 })).to.equal('event-data-invalid');
    expect(fault({}, 'test.unknown')).to.equal('event-type-unknown');
    expect(fault({ text: 'a', count: Number.NaN })).to.equal('event-data-invalid');
  });

  it('has the same hash whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.object({ values: [fc.jsonValue()] }), (data) => {
        const one = encode(data, 'test.anything').metadata.hash;
        const other = encode(turned(data), 'test.anything', turned(source) as MetadataSource).metadata.hash;
        expect(other).to.equal(one);
      }),
    );
  });

  it('has the same hash after its way through JSON, keys of no value left out', () => {
    const data = fc.object({
      values: [fc.jsonValue(), fc.constantFrom(undefined, -0, 1e21, 5e-324, '\ud800')],
    });
    fc.assert(
      fc.property(data, (value) => {
        const { type, metadata, data: encoded } = encode(value, 'test.anything');
        const hash = eventHash('note-1', 0n, chainStart, type, stored(encoded), stored(metadata) as JsonObject);
        expect(hash).to.equal(metadata.hash);
      }),
    );
    const { metadata } = encode({ text: 'a', count: undefined });
    expect(metadata.hash).to.equal(encode({ text: 'a' }).metadata.hash);
  });

  it('has another hash when anything about it is another', () => {
    const base = [
      'note-1',
      0n,
      chainStart,
      'test.noted',
      { a: [1, { b: 'x' }] },
      { ...source, event_version: 1 },
    ] as const;
    const hashes = [
      eventHash(...base),
      eventHash('note-2', base[1], base[2], base[3], base[4], base[5]),
      eventHash(base[0], 1n, base[2], base[3], base[4], base[5]),
      eventHash(base[0], base[1], `${chainStart.slice(1)}1`, base[3], base[4], base[5]),
      eventHash(base[0], base[1], base[2], 'test.other', base[4], base[5]),
      eventHash(base[0], base[1], base[2], base[3], { a: [1, { b: 'y' }] }, base[5]),
      eventHash(base[0], base[1], base[2], base[3], { a: [{ b: 'x' }, 1] }, base[5]),
      eventHash(base[0], base[1], base[2], base[3], { a: [1, { b: 'x' }], c: null }, base[5]),
      eventHash(base[0], base[1], base[2], base[3], base[4], { ...base[5], user_id: 'somebody' }),
      eventHash(base[0], base[1], base[2], base[3], base[4], { ...base[5], event_version: 2 }),
    ];
    expect(new Set(hashes).size).to.equal(hashes.length);
    expect(eventHash(base[0], base[1], base[2], base[3], base[4], { ...base[5], hash: 'x' })).to.equal(hashes[0]);
  });

  it('has another hash when one character of its stored JSON is another', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(text, fc.nat(), fc.constantFrom('0', '1', 'x', ' ', '"', '\\', '{', 'é'), (value, at, character) => {
        const { type, data, metadata } = encode({ text: value, count: 1234 });
        const json = [...JSON.stringify({ data, metadata })];
        const place = at % json.length;
        json[place] = character;
        let changed: { data: unknown; metadata: JsonObject };
        try {
          changed = JSON.parse(json.join('')) as typeof changed;
        } catch {
          return;
        }
        const same = JSON.stringify(changed) === JSON.stringify({ data, metadata });
        if (same || changed.metadata === undefined) return;
        let hash: string | undefined;
        try {
          hash = eventHash('note-1', 0n, chainStart, type, changed.data, changed.metadata);
        } catch {
          // No canonical form: a digit became part of a number that is none.
        }
        expect(hash).to.not.equal(changed.metadata['hash']);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the streams without a chain', () => {
  it('are the system\u2019s own and the side streams', () => {
    const names = ['$ce-order', '$$order-1', 'snapshot-inventory-1', 'checkpoint-fulfilment'];
    expect(names.filter(isUnchained)).to.deep.equal(names);
    expect(['order-1', 'snapshots-1', 'mycheckpoint-1', 'checkpoint'].filter(isUnchained)).to.deep.equal([]);
  });
});

const expectedEncoding = {
  id: '372a6305-96ca-5405-95c7-e8acd080d3ab',
  hash: 'cbb396e5c1f697231dd518b26ce21f2abc1f3f2ce57ca32cbb694dcc5f347f2a',
  type: 'test.noted',
  data: '{"text":"Ærø 🚲","count":0}',
};
