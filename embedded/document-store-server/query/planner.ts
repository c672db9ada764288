import { keyClass, longestExactKey, successor } from '../bson/key-encoding.js';
import type { Collection, Index } from '../storage/catalogue.js';
import { idBytes, type Store } from '../storage/store.js';
import { intersect, interval, type KeyRange, rangesOf } from './bounds.js';
import { countedKeys, estimateKeys } from './estimate.js';
import type { Filter, Test } from './filter.js';
import { implies } from './implication.js';
import type { SortOrder } from './sort.js';

export interface Interval {
  start: Buffer;
  /** exclusive */
  end: Buffer;
}

/** How documents are found: through intervals of an index, or all of the collection when `index` is undefined. */
export interface Plan {
  index: Index | undefined;
  intervals: Interval[];
  reverse: boolean;
  /** documents come in the order asked for */
  sorted: boolean;
  /** fields of the index that the filter narrows */
  boundFields: number;
  /** the ranges of those fields, in the order of the index */
  bounds: KeyRange[][];
}

/** What a client insists on: an index, or none, with the documents as they lie or the other way round. */
export type Hint = Index | 'natural' | 'backwards';

export interface PlanOptions {
  hint?: Hint | undefined;
  wanted?: number | undefined;
  considered?: Plan[] | undefined;
}

interface Rated {
  plan: Plan;
  keys: number;
}

/** Whether each interval is of one key of all the index's fields. */
export function isOfWholeKeys({ index, bounds }: Plan): boolean {
  return bounds.length === index?.fields.length && bounds.every((ranges) => ranges.every(({ point }) => point));
}

/** What every match must satisfy, by path. */
export type Conjuncts = Map<string, Test[]>;

/** as many are sorted in memory though an index has the order */
const mostSorted = 10_000;
const largestProduct = 2_000;
const mostChoices = 16;

export function conjunctsOf(filter: Filter, into: Conjuncts = new Map()): Conjuncts {
  if (filter.kind === 'and') for (const part of filter.parts) conjunctsOf(part, into);
  else if (filter.kind === 'or' && filter.parts.length === 1 && filter.parts[0]) conjunctsOf(filter.parts[0], into);
  else if (filter.kind === 'test' && filter.path !== undefined) {
    const tests = into.get(filter.path.text);
    if (tests === undefined) into.set(filter.path.text, [filter.test]);
    else tests.push(filter.test);
  }
  return into;
}

function intersectAll(lists: KeyRange[][]): KeyRange[] {
  return lists.reduce((all, list) =>
    all.flatMap((a) =>
      list.flatMap((b) => {
        const shared = intersect(a, b);
        return shared === undefined ? [] : [shared];
      }),
    ),
  );
}

/** The ways one field can be narrowed: items of an array may satisfy tests apart, so a multikey field uses one test. */
function choicesFor(index: Index, tests: Test[]): KeyRange[][] {
  const lists = tests.flatMap((test) => {
    const ranges = rangesOf(test);
    return ranges === undefined ? [] : [ranges];
  });
  if (lists.length === 0) return [];
  return index.multikey ? lists.slice(0, mostChoices) : [intersectAll(lists)];
}

/** Every list of ranges per leading field that the index allows. */
function boundsOf(index: Index, conjuncts: Conjuncts): KeyRange[][][] {
  let bounds: KeyRange[][][] = [[]];
  const roots = new Set<string>();
  for (const field of index.fields) {
    const root = field.path.names[0] ?? '';
    // two paths through one array may be satisfied by different items
    if (index.multikey && roots.has(root)) break;
    roots.add(root);
    const choices = choicesFor(index, conjuncts.get(field.path.text) ?? []);
    if (choices.length === 0) break;
    const used = bounds.length * choices.length <= mostChoices ? choices : choices.slice(0, 1);
    bounds = bounds.flatMap((bound) => {
      const open =
        bound.length === index.fields.indexOf(field) && bound.every((ranges) => ranges.every((r) => r.point));
      const product = bound.reduce((size, ranges) => size * ranges.length, 1);
      if (!open) return [bound];
      return used.map((choice) =>
        product * choice.length > largestProduct && product > 1 ? bound : [...bound, choice],
      );
    });
  }
  return bounds;
}

function cut(bytes: Buffer, isEnd: boolean): Buffer {
  if (bytes.length <= longestExactKey) return bytes;
  const head = bytes.subarray(0, longestExactKey);
  return isEnd ? (successor(head) ?? head) : head;
}

function intervalsOf(collection: Collection, index: Index, bound: KeyRange[][]): Interval[] {
  const id = index.isIdIndex ? collection.id : index.id;
  let prefixes: Buffer[] = [Buffer.alloc(0)];
  let intervals: Interval[] = [{ start: idBytes(id), end: idBytes(id + 1) }];
  bound.forEach((ranges, at) => {
    const steps = ranges.map((range) => interval(range, index.fields[at]?.descending === true));
    intervals = prefixes.flatMap((prefix) =>
      steps.map(({ start, end }) => ({
        start: Buffer.concat([idBytes(id), cut(Buffer.concat([prefix, start]), false)]),
        end: Buffer.concat([idBytes(id), cut(Buffer.concat([prefix, end]), true)]),
      })),
    );
    // only points are followed by another field, and the start of a point's interval is the point
    prefixes = prefixes.flatMap((prefix) => steps.map(({ start }) => Buffer.concat([prefix, start])));
  });
  return intervals.sort((a, b) => a.start.compare(b.start));
}

function sortDirection(index: Index, bound: KeyRange[][], order: SortOrder): boolean | undefined {
  if (index.multikey || index.inexact) return undefined;
  const isFixed = (at: number) => bound[at]?.length === 1 && bound[at]?.[0]?.point === true;
  const fixed = new Set(index.fields.filter((_, at) => isFixed(at)).map((field) => field.path.text));
  const wanted = order.filter((field) => !fixed.has(field.path.text));
  let reverse: boolean | undefined;
  let next = 0;
  for (const [at, field] of index.fields.entries()) {
    if (next === wanted.length) break;
    if (isFixed(at)) continue;
    const sort = wanted[next];
    if (sort === undefined || sort.path.text !== field.path.text) return undefined;
    const backwards = sort.descending !== field.descending;
    if (reverse !== undefined && reverse !== backwards) return undefined;
    reverse = backwards;
    next++;
  }
  return next === wanted.length ? (reverse ?? false) : undefined;
}

function isImplied(index: Index, conjuncts: Conjuncts): boolean {
  return index.partial === undefined || implies(conjuncts, index.partial.filter);
}

/** A sparse index lacks the keys of what is missing. */
function needsNoMissing(index: Index, bound: KeyRange[][]): boolean {
  return !index.sparse || bound.some((ranges) => ranges.every((range) => (range.low.bytes[0] ?? 0) > keyClass.null));
}

function plansOf(
  collection: Collection,
  index: Index,
  conjuncts: Conjuncts,
  order: SortOrder,
  isInsistedOn: boolean,
): Plan[] {
  const bounds = boundsOf(index, conjuncts).flatMap((bound): KeyRange[][][] => {
    const hasKeys = needsNoMissing(index, bound);
    // who insists on a sparse or partial index is given what it holds, under whichever key
    if (!isInsistedOn && !(hasKeys && isImplied(index, conjuncts))) return [];
    return hasKeys ? [bound] : [[]];
  });
  return bounds.map((bound) => {
    const reverse = sortDirection(index, bound, order);
    return {
      index,
      intervals: intervalsOf(collection, index, bound),
      reverse: reverse ?? false,
      sorted: order.length === 0 || reverse !== undefined,
      boundFields: bound.length,
      bounds: bound,
    };
  });
}

/**
 * Which of two plans promises less work. Few keys are best; of many, the order asked for is, unless a plan without it is
 * known to meet so few that the sorted one would look at more before it found the wanted documents.
 */
function compareRated(a: Rated, b: Rated, wanted: number, documents: number): number {
  const rank = ({ plan, keys }: Rated) => {
    if (plan.sorted) return 1;
    return keys >= countedKeys && keys <= mostSorted && keys ** 2 < wanted * documents ? 0 : 2;
  };
  return (
    Math.min(a.keys, countedKeys) - Math.min(b.keys, countedKeys) ||
    rank(a) - rank(b) ||
    b.plan.boundFields - a.plan.boundFields ||
    a.keys - b.keys
  );
}

/**
 * Chooses how to find a filter's matches: the bounded plan that meets the fewest keys; among those that meet many, one
 * that is sorted and narrows more fields; else an index in the order asked for; else the whole collection.
 *
 * @param options.hint an index the client insists on, or none and the documents as they lie
 * @param options.wanted how many documents are enough; all of them unless told
 * @param options.considered is given the plans that were weighed against each other, the chosen one among them
 */
export function choosePlan(
  store: Store,
  collection: Collection,
  filter: Filter,
  order: SortOrder,
  { hint, wanted, considered = [] }: PlanOptions = {},
): Plan {
  const conjuncts = conjunctsOf(filter);
  const [primary] = collection.indexes;
  if (hint === undefined && primary !== undefined && conjuncts.has('_id')) {
    const [plan] = plansOf(collection, primary, conjuncts, order, false);
    // one document at most: no other index can do better
    if (plan !== undefined && isOfWholeKeys(plan) && plan.intervals.length === 1) {
      considered.push(plan);
      return plan;
    }
  }
  const whole = { start: idBytes(collection.id), end: idBytes(collection.id + 1) };
  const scan: Plan = {
    index: undefined,
    intervals: [whole],
    reverse: false,
    sorted: order.length === 0,
    boundFields: 0,
    bounds: [],
  };
  if (hint === 'natural' || hint === 'backwards') return { ...scan, reverse: hint === 'backwards' };
  const indexes = hint === undefined ? collection.indexes : [hint];
  const plans = indexes.flatMap((index) => plansOf(collection, index, conjuncts, order, hint !== undefined));
  const bounded = plans.filter((plan) => plan.boundFields > 0);
  if (bounded.length === 0) {
    const ordered = plans.find((plan) => plan.sorted && (order.length > 0 || hint !== undefined));
    return ordered ?? (hint === undefined ? scan : (plans[0] ?? scan));
  }
  considered.push(...bounded);
  const [only] = bounded;
  if (bounded.length === 1 && only !== undefined) return only;
  const rated = bounded.map((plan) => ({ plan, keys: estimateKeys(store, plan) }));
  const most = wanted ?? collection.count;
  rated.sort((a, b) => compareRated(a, b, most, collection.count));
  return rated[0]?.plan ?? scan;
}
