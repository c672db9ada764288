import { BSON, Long } from 'mongodb';
import type { Random } from '../support/seeded.js';

/** A document as writers send it and as reads give it back; 64-bit integers as Long. */
export interface Content {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** The modifiers that writers use, each on fields of the top level. */
export interface Modifiers {
  readonly $set?: Readonly<Record<string, unknown>>;
  readonly $setOnInsert?: Readonly<Record<string, unknown>>;
  readonly $inc?: Readonly<Record<string, number>>;
  readonly $push?: Readonly<Record<string, unknown>>;
  readonly $unset?: Readonly<Record<string, ''>>;
}

const texts = ['', 'plain', 'Grüße', '日本語', 'nul\u0000inside', '😀'.repeat(8)] as const;

/** Equal for documents of the same fields; the order of the fields counts inside of values alone. */
export function canonical(content: Content | undefined): string {
  if (content === undefined) return '';
  const sorted = Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(BSON.serialize(Object.fromEntries(sorted))).toString('latin1');
}

/** What an update by modifiers makes of a document, or of none. */
export function updated(before: Content | undefined, id: string, update: Modifiers): Content {
  const { $set = {}, $setOnInsert = {}, $inc = {}, $push = {}, $unset = {} } = update;
  const after: Record<string, unknown> = { ...before, ...(before === undefined ? $setOnInsert : {}), ...$set };
  for (const [field, by] of Object.entries($inc)) after[field] = Number(after[field] ?? 0) + by;
  for (const [field, item] of Object.entries($push)) after[field] = [...((after[field] as unknown[]) ?? []), item];
  for (const field of Object.keys($unset)) delete after[field];
  return { ...after, _id: id };
}

/**
 * Fields of a document beside `_id`: of many types, now and then pages long. `n` and `m` are equal in every state a
 * document ever has; `slot` is what writers contend for where an index makes it unique.
 */
export function someFields(random: Random, owner: string): Omit<Content, '_id'> {
  const n = random.between(0, 1_000);
  const size = random.chance(0.02) ? random.between(5_000, 300_000) : random.between(0, 200);
  return {
    owner,
    n,
    m: n,
    position: random.between(0, 100),
    tag: someTag(random),
    active: random.chance(0.5),
    tags: Array.from({ length: random.between(0, 4) }, () => someTag(random)),
    items: Array.from({ length: random.between(0, 3) }, () => ({ sku: `s${random.between(0, 50)}`, share: 0.5 })),
    ...(random.chance(0.4) ? { opt: random.chance(0.2) ? null : random.pick(texts) } : {}),
    ...(random.chance(0.1) ? { slot: someSlot(random) } : {}),
    at: new Date(random.between(1, 2_000_000_000) * 1_000),
    long: new Long(random.between(-(2 ** 31), 2 ** 31 - 1), random.between(-(2 ** 31), 2 ** 31 - 1)),
    mark: random.uuid(),
    text: random.bytes(Math.ceil(size / 2)).toString('hex'),
  };
}

export const someTag = (random: Random): string => `t${random.between(0, 6)}`;

export const someSlot = (random: Random): number => random.between(0, 150);
