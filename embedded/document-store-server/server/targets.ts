import { documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Filter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { Turns } from '../query/pipeline.js';
import { choosePlan, type Hint, type Plan } from '../query/planner.js';
import { type Found, scan } from '../query/scan.js';
import { type SortOrder, sortKey } from '../query/sort.js';
import type { Collection } from '../storage/catalogue.js';
import { getRecord } from '../storage/records.js';
import { RoomNeeded } from '../storage/room-budget.js';
import type { WriteOptions } from '../storage/store.js';
import { watchChanges } from '../storage/watch.js';
import { type Context, write } from './context.js';
import { planSummary } from './slow-log.js';

/** The documents that a write is about: all matches, or the first in an order. */
export interface Target {
  filter: Filter;
  order: SortOrder;
  hint: Hint | undefined;
  multi: boolean;
}

/** What the write does, inside its transaction. */
export interface Action extends WriteOptions {
  /** with a document that matches at this moment */
  each(found: Found): void;
  /** when no document matches at this moment */
  none(): void;
}

/** A search that is still to be made, outside of transactions, and then the action. */
export type Search = () => Promise<void>;

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
  context.plans.add(planSummary(plan));
  const task = { context, collection, target, plan, action };
  const found = findNow(task, most);
  if (found === undefined) return () => (target.multi ? actOnAll(task) : actOnFirst(task));
  if (!target.multi || found.length === 0) {
    act(task, found[0]);
    return undefined;
  }
  const work = new Piecework(
    task,
    found.map(({ record }) => record),
  );
  work.go();
  return work.isOver ? undefined : () => finish(task, work);
}

function act({ action }: Task, found: Found | undefined): void {
  if (found === undefined) action.none();
  else action.each(found);
}

/** Acts on records one after the other, each if it still matches; it stops after a turn, and can go on in another one. */
class Piecework {
  private next = 0;
  /** on how many it acted */
  acted = 0;

  constructor(
    private readonly task: Task,
    private readonly records: readonly number[],
  ) {}

  get isOver(): boolean {
    return this.next >= this.records.length;
  }

  /** Inside a transaction. */
  go(): void {
    const { context, collection, target, action } = this.task;
    const { store } = context.server;
    for (const first = this.next; !this.isOver && !(this.next > first && store.isTurnOver); this.next++) {
      const record = this.records[this.next] ?? 0;
      const document = getRecord(store, collection, record);
      if (document === undefined || !matchesFilter(target.filter, documentValue(document))) continue;
      try {
        action.each({ record, document });
      } catch (err) {
        if (err instanceof RoomNeeded && this.next > first) return;
        throw err;
      }
      this.acted++;
    }
  }
}

async function finish({ context, collection, action }: Task, work: Piecework): Promise<void> {
  const go = () => {
    checkThere(collection);
    work.go();
  };
  while (!work.isOver) await write(context, go, action);
}

/** Finds inside the transaction. @returns undefined when it would take more than `limit` allows */
function findNow({ context, collection, target, plan }: Task, limit?: typeof most): Found[] | undefined {
  const counts = { keys: 0, documents: 0 };
  let bytes = 0;
  const all: Found[] = [];
  let first: { found: Found; key: Buffer } | undefined;
  for (const found of scan(context.server.store, collection, plan, target.filter, counts)) {
    const isMuch = (allowed: typeof most) =>
      counts.documents > allowed.documents || counts.keys > allowed.keys || bytes > allowed.bytes;
    if (limit !== undefined && isMuch(limit)) return undefined;
    if (found === undefined) continue;
    bytes += found.document.length;
    if (target.multi) all.push(found);
    else {
      const key = sortKey(target.order, found.document);
      if (first === undefined || key.compare(first.key) < 0) first = { found, key };
      if (plan.sorted) break;
    }
  }
  context.examined.keys += counts.keys;
  context.examined.documents += counts.documents;
  return first === undefined ? all : [first.found];
}

/** Outside of transactions, with turns for the others. */
async function* findInTurns({ context, collection, target, plan }: Task): AsyncGenerator<Found> {
  const turns = new Turns(() => context.deadline);
  for (const found of scan(context.server.store, collection, plan, target.filter, context.examined)) {
    if (found !== undefined) yield found;
    if (turns.isOver()) await turns.next();
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
  const documentNow = (record: number) => getRecord(context.server.store, collection, record);
  const keyNow = (record: number) => {
    const document = documentNow(record);
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
    // whether it would be the first cannot be told
    if (hasOrder || first === undefined) for (const fault of watch.failing.values()) throw fault;
    const document = first === undefined ? undefined : documentNow(first.record);
    act(task, first === undefined || document === undefined ? undefined : { record: first.record, document });
    return true;
  };
  try {
    if (plan.sorted) {
      for await (const { record, document } of findInTurns(task)) {
        const candidate = { record, key: sortKey(order, document) };
        if (await write(context, () => settle([candidate], false), task.action)) return;
      }
      await write(context, () => settle([], true), task.action);
      return;
    }
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      watch.restart();
      const { candidates, complete } = await findBest(task);
      if (await write(context, () => settle(candidates, complete), task.action)) return;
    }
    // others took all the best again and again: now nobody else gets a turn
    const last = () => {
      checkThere(collection);
      act(task, findNow(task)?.[0]);
    };
    await write(context, last, task.action);
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
  const watch = watchChanges(collection, target.filter);
  try {
    // all are found before the first is changed, which may move it ahead of the search, as others may: it is met again
    const records = new Set<number>();
    for await (const { record } of findInTurns(task)) records.add(record);
    const each = (found: Found) => {
      action.each(found);
      // from now on nobody asks what else matches
      watch.end();
    };
    const work = new Piecework({ ...task, action: { ...action, each } }, [...records]);
    await finish(task, work);
    if (work.acted > 0) return;
    // none of them matches any more; what does now was written since
    let late: Piecework | undefined;
    const settle = () => {
      checkThere(collection);
      late = watch.matching.size === 0 ? undefined : new Piecework(task, [...watch.matching]);
      if (late !== undefined) late.go();
      else {
        for (const fault of watch.failing.values()) throw fault;
        action.none();
      }
    };
    await write(context, settle, action);
    if (late !== undefined) await finish(task, late);
  } finally {
    watch.end();
  }
}
