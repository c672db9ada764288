import type { CreateIndexesOptions, Document, IndexSpecification } from 'mongodb';
import { demand } from './violation.js';

/** An index that comes and goes. */
export interface IndexPlan {
  readonly name: string;
  readonly pattern: IndexSpecification & Document;
  readonly options: CreateIndexesOptions;
  /** a filter that the index holds every match of; `{}` where it holds every document */
  readonly covered: Document;
}

/** What writers contend for. It stands where it was made before them, and is refused where slots repeat already. */
export const contended: IndexPlan = {
  name: 'slot',
  pattern: { slot: 1 },
  options: { unique: true, sparse: true },
  covered: { slot: { $gte: 0 } },
};

/** Of every kind. What `never` would expire does so in 2038 at the earliest. */
export const indexPlans: readonly IndexPlan[] = [
  { name: 'by-tag', pattern: { tag: 1, n: -1 }, options: {}, covered: {} },
  { name: 'by-owner', pattern: { owner: 1, tag: 1 }, options: {}, covered: {} },
  { name: 'by-tags', pattern: { tags: 1 }, options: {}, covered: {} },
  { name: 'by-items', pattern: { 'items.sku': 1, n: 1 }, options: {}, covered: {} },
  { name: 'by-long', pattern: { long: -1 }, options: {}, covered: {} },
  { name: 'by-text', pattern: { text: 1 }, options: {}, covered: {} },
  { name: 'opt', pattern: { opt: 1 }, options: { sparse: true }, covered: { opt: { $gte: '' } } },
  {
    name: 'active',
    pattern: { n: 1 },
    options: { partialFilterExpression: { active: true } },
    covered: { active: true, n: { $gte: 0 } },
  },
  { name: 'never', pattern: { at: 1 }, options: { expireAfterSeconds: 2_147_483_647 }, covered: {} },
  { name: 'mark', pattern: { mark: 1 }, options: { unique: true }, covered: {} },
  contended,
];

/** Which indexes collections must have. */
export interface Indexes {
  has(collection: string, name: string): boolean;
  /** Something is asked for; `answered` says whether it was done. Without an answer it may have been. */
  send(collection: string, name: string, there: boolean): { answered(done: boolean): void };
  /** Compares with what is listed when nothing is in flight; then takes it for known. @throws Violation */
  settle(collection: string, listed: readonly string[]): void;
}

export function openIndexes(): Indexes {
  const known = new Map<string, Set<string>>();
  const open = new Map<string, Set<string>>();
  const of = (sets: Map<string, Set<string>>, collection: string) => {
    const set = sets.get(collection) ?? new Set();
    sets.set(collection, set);
    return set;
  };
  return {
    has: (collection, name) => of(known, collection).has(name),
    send(collection, name, there) {
      of(open, collection).add(name);
      return {
        answered(done) {
          of(open, collection).delete(name);
          if (!done) return;
          if (there) of(known, collection).add(name);
          else of(known, collection).delete(name);
        },
      };
    },
    settle(collection, listed) {
      const [mustBe, mayBe] = [of(known, collection), of(open, collection)];
      for (const name of mustBe) {
        const found = listed.includes(name) || mayBe.has(name);
        demand(found, () => `the index ${name} of ${collection} was acknowledged and is gone`);
      }
      for (const name of listed) {
        const allowed = name === '_id_' || mustBe.has(name) || mayBe.has(name);
        demand(allowed, () => `the index ${name} of ${collection} must not be there`);
      }
      known.set(collection, new Set(listed.filter((name) => name !== '_id_')));
      mayBe.clear();
    },
  };
}

/** Where documents expire a second after their date, and how the server is told to look for them often. */
export const expiring = 'expiring';
export const expiry = { name: 'expiry', pattern: { at: 1 }, options: { expireAfterSeconds: 1 } } as const;
export const oftenExpiring = ['--expire-every', '0.1'];
