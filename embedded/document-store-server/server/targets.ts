import { setImmediate as nextTurn } from 'node:timers/promises';
import { documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Filter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { checkDeadline } from '../query/pipeline.js';
import { choosePlan, type Plan } from '../query/planner.js';
import { type Found, scan } from '../query/scan.js';
import { type SortOrder, sortKey } from '../query/sort.js';
import type { Collection, Index } from '../storage/catalogue.js';
import { getRecord } from '../storage/records.js';
import { watchChanges } from '../storage/watch.js';
import { type Context, write } from './context.js';

/** The documents that a write is about: all matches, or the first in an order. */
export interface Target {
  filter: Filter;
  order: SortOrder;
  hint: Index | 'natural' | undefined;
  multi: boolean;
}

/** What the write does, inside its transaction. */
export interface Action {
  /** with a document that matches at this moment */
  each(found: Found): void;
  /** when no document matches at this moment */
  none(): void;
}

/** A search that is still to be made, outside of transactions, and then the action. */
export type Search = () => Promise<void>;

const turnMs = 10;
const most = { documents: 200, keys: 1_000, bytes: 4 * 1024 * 1024 };
const mostCandidates = 64;
const mostAttempts = 3;

interface Candidate {
  record: number;
  key: Buffer;
}

/** What a search goes by. */
interface Task {
  context: Context;
  collection: Collection;
  target: Target;
  plan: Plan;
  action: Action;
}

/**
 * Finds what a write is about, and acts. To be called inside the write's transaction.
 *
 * Where an index leads to few documents, or there are few, all of it happens at once. Else nothing happened yet, and a
 * search is returned: a scan of a large collection inside a transaction would hold up everybody. It reads in turns, as
 * queries do, and acts inside transactions of bounded length, in which every document is looked at again.
 *
 * What was written since the search began is known to its watch, so at the moment of acting nothing is left open: a
 * record that was not written since is as the search saw it, or the search will come to it; of the others it is known
 * which match now. So a first match is the first, and `none` is only told when there is none: an upsert never inserts
 * beside a match.
 */
export function forEachMatch(
  context: Context,
  collection: Collection | undefined,
  target: Target,
  action: Action,
): Search | undefined {
  if (collection === undefined) {
    action.none();
    return undefined;
  }
  const { filter, order, hint, multi } = target;
  const plan = choosePlan(context.server.store, collection, filter, order, { hint, wanted: multi ? undefined : 1 });
  const task = { context, collection, target, plan, action };
  const found = findNow(task, most);
  if (found === undefined) return () => (target.multi ? actOnAll(task) : actOnFirst(task));
  act(task, found);
  return undefined;
}

function act({ context, collection, action }: Task, records: readonly number[]): void {
  for (const record of records) {
    const document = getRecord(context.server.store, collection, record);
    if (document !== undefined) action.each({ record, document });
  }
  if (records.length === 0) action.none();
}

/** Finds inside the transaction. @returns undefined when it would take more than `limit` allows */
function findNow({ context, collection, target, plan }: Task, limit?: typeof most): number[] | undefined {
  const counts = { keys: 0, documents: 0 };
  let bytes = 0;
  const records: number[] = [];
  let first: Candidate | undefined;
  for (const found of scan(context.server.store, collection, plan, target.filter, counts)) {
    const isMuch = (allowed: typeof most) =>
      counts.documents > allowed.documents || counts.keys > allowed.keys || bytes > allowed.bytes;
    if (limit !== undefined && isMuch(limit)) return undefined;
    if (found === undefined) continue;
    bytes += found.document.length;
    if (target.multi) records.push(found.record);
    else {
      const key = sortKey(target.order, found.document);
      if (first === undefined || key.compare(first.key) < 0) first = { record: found.record, key };
      if (plan.sorted) break;
    }
  }
  context.examined.keys += counts.keys;
  context.examined.documents += counts.documents;
  return first === undefined ? records : [first.record];
}

/** Outside of transactions, with turns for the others. */
async function* findInTurns({ context, collection, target, plan }: Task): AsyncGenerator<Found> {
  let turn = performance.now();
  for (const found of scan(context.server.store, collection, plan, target.filter, context.examined)) {
    if (found !== undefined) yield found;
    if (performance.now() - turn <= turnMs) continue;
    checkDeadline(context.deadline);
    await nextTurn();
    turn = performance.now();
  }
}

function checkThere(collection: Collection): void {
  if (collection.dropped) throw new CommandError(code.planKilled, 'the collection was dropped during the write');
}

async function actOnFirst(task: Task): Promise<void> {
  const { context, collection, target, plan } = task;
  const { order } = target;
  const watch = watchChanges(collection, target.filter);
  const hasOrder = order.length > 0;
  const keyNow = (record: number) => {
    const document = getRecord(context.server.store, collection, record);
    return document === undefined ? undefined : sortKey(order, document);
  };
  /**
   * Inside a transaction: acts on the first match, if that can be told.
   *
   * @param candidates of the search, in order; `complete` when the search found no others
   */
  const settle = (candidates: readonly Candidate[], complete: boolean): boolean => {
    checkThere(collection);
    let first = candidates.find(({ record }) => !watch.changed.has(record));
    if (first === undefined && !complete && (hasOrder || watch.matching.size === 0)) return false;
    for (const record of watch.matching) {
      if (!hasOrder && first !== undefined) break;
      const key = keyNow(record);
      if (key !== undefined && (first === undefined || key.compare(first.key) < 0)) first = { record, key };
    }
    act(task, first === undefined ? [] : [first.record]);
    return true;
  };
  try {
    if (plan.sorted) {
      for await (const { record, document } of findInTurns(task)) {
        const candidate = { record, key: sortKey(order, document) };
        if (await write(context, () => settle([candidate], false))) return;
      }
      await write(context, () => settle([], true));
      return;
    }
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      watch.restart();
      const { candidates, complete } = await findBest(task);
      if (await write(context, () => settle(candidates, complete))) return;
    }
    // others took all the best again and again: now nobody else gets a turn
    await write(context, () => {
      checkThere(collection);
      act(task, findNow(task) ?? []);
    });
  } finally {
    watch.end();
  }
}

/** The first matches in the order asked for, where the plan does not give it. */
async function findBest(task: Task): Promise<{ candidates: Candidate[]; complete: boolean }> {
  let candidates: Candidate[] = [];
  let complete = true;
  const cut = () => {
    candidates.sort((a, b) => a.key.compare(b.key));
    if (candidates.length > mostCandidates) complete = false;
    candidates = candidates.slice(0, mostCandidates);
  };
  for await (const { record, document } of findInTurns(task)) {
    candidates.push({ record, key: sortKey(task.target.order, document) });
    if (candidates.length >= 16 * mostCandidates) cut();
  }
  cut();
  return { candidates, complete };
}

async function actOnAll(task: Task): Promise<void> {
  const { context, collection, target, action } = task;
  const { store } = context.server;
  const watch = watchChanges(collection, target.filter);
  try {
    // all are found before the first is changed, which may move it ahead of the search
    const records: number[] = [];
    for await (const { record } of findInTurns(task)) records.push(record);
    let next = 0;
    let acted = 0;
    const piece = () => {
      checkThere(collection);
      for (const first = next; next < records.length && !(next > first && store.isTurnOver); next++) {
        const record = records[next] ?? 0;
        const document = getRecord(store, collection, record);
        if (document === undefined || !matchesFilter(target.filter, documentValue(document))) continue;
        action.each({ record, document });
        acted++;
      }
    };
    while (next < records.length) await write(context, piece);
    if (acted > 0) return;
    await write(context, () => {
      checkThere(collection);
      act(task, [...watch.matching]);
    });
  } finally {
    watch.end();
  }
}
