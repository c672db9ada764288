import type { AnyBulkWriteOperation, UpdateFilter } from 'mongodb';
import type { Random } from '../support/seeded.js';
import { type Content, type Modifiers, someFields, someSlot, someTag, updated } from './document-store-content.js';
import { type Change, keyOf, type Step } from './document-store-ledger.js';

/** What the answer to a write counts. */
export interface Told {
  readonly inserted: number;
  readonly matched: number;
  readonly modified: number;
  readonly upserted: number;
  readonly deleted: number;
}

export interface Statement {
  readonly operation: AnyBulkWriteOperation<Content>;
  readonly step: Step;
  /** what it adds to the answer unless it is refused */
  readonly told: Told;
}

/** The documents of one writer as they are when a statement begins. */
export interface View {
  readonly collection: string;
  readonly owner: string;
  readonly ids: readonly string[];
  get(id: string): Content | undefined;
}

export const toldNothing: Told = { inserted: 0, matched: 0, modified: 0, upserted: 0, deleted: 0 };
const duplicate = 11000;

export const asFilter = (update: Modifiers) => update as UpdateFilter<Content>;

/** A change, and whether the unique index that writers contend for could refuse it. */
function changing(view: View, id: string, after: Content | undefined): Step {
  const contends = after?.['slot'] !== undefined && after['slot'] !== view.get(id)?.['slot'];
  return { changes: [{ key: keyOf(view.collection, id), after }], mayCollide: contends };
}

function refused(operation: AnyBulkWriteOperation<Content>): Statement {
  return { operation, step: { changes: [], refusal: duplicate }, told: toldNothing };
}

export function insertion(random: Random, view: View, id: string): Statement {
  const document: Content = { _id: id, ...someFields(random, view.owner) };
  const operation = { insertOne: { document } };
  if (view.get(id) !== undefined) return refused(operation);
  return { operation, step: changing(view, id, document), told: { ...toldNothing, inserted: 1 } };
}

/** Modifiers that always change something. */
export function someModifiers(random: Random, before: Content | undefined, owner: string): Modifiers {
  const by = random.between(1, 9);
  const $inc = { n: by, m: by };
  const { n: _n, m: _m, tag: _tag, position: _position, ...$setOnInsert } = someFields(random, owner);
  const tag = someTag(random);
  const tags = (before?.['tags'] as unknown[] | undefined) ?? [];
  const rest = { tag, position: random.between(0, 100) };
  const { slot: _slot, opt: _opt, tags: _tags, active: _active, ...plain } = $setOnInsert;
  switch (random.between(0, 4)) {
    case 0:
      return { $set: { ...rest, opt: `o${random.between(0, 9)}`, tags: [tag] }, $inc, $setOnInsert: plain };
    case 1:
      return { $set: { ...rest, slot: someSlot(random) }, $inc, $setOnInsert: plain };
    case 2:
      return { $set: rest, $unset: { opt: '', slot: '' }, $inc, $setOnInsert: plain };
    case 3:
      if (tags.length < 6) return { $set: rest, $push: { tags: tag }, $inc, $setOnInsert: plain };
      return { $set: { ...rest, tags: [] }, $inc, $setOnInsert: plain };
    default:
      return { $set: { ...rest, active: random.chance(0.5) }, $inc, $setOnInsert: plain };
  }
}

const changed: Told = { ...toldNothing, matched: 1, modified: 1 };
const inserted: Told = { ...toldNothing, upserted: 1 };

function modification(random: Random, view: View, id: string): Statement {
  const before = view.get(id);
  const update = someModifiers(random, before, view.owner);
  const upsert = random.chance(0.6);
  const filter = random.chance(0.5) ? { _id: id } : { _id: id, owner: view.owner };
  const operation = { updateOne: { filter, update: asFilter(update), upsert } };
  if (before === undefined && !upsert) return { operation, step: { changes: [] }, told: toldNothing };
  const step = changing(view, id, updated(before, id, update));
  return { operation, step, told: before === undefined ? inserted : changed };
}

/** As projections write: only ever forwards, and a repeat of what is behind meets the document's own `_id`. */
function guarded(random: Random, view: View, id: string): Statement {
  const before = view.get(id);
  const at = Number(before?.['position'] ?? 0);
  const position = at + random.between(before === undefined ? 1 : -3, 12);
  const { $set, ...others } = someModifiers(random, before, view.owner);
  const update: Modifiers = { ...others, $set: { ...$set, position } };
  const upsert = random.chance(0.7);
  const operation = {
    updateOne: { filter: { _id: id, position: { $lt: position } }, update: asFilter(update), upsert },
  };
  if (before !== undefined && at >= position) {
    return upsert ? refused(operation) : { operation, step: { changes: [] }, told: toldNothing };
  }
  if (before === undefined && !upsert) return { operation, step: { changes: [] }, told: toldNothing };
  const step = changing(view, id, updated(before, id, update));
  return { operation, step, told: before === undefined ? inserted : changed };
}

function replacing(random: Random, view: View, id: string): Statement {
  const before = view.get(id);
  const upsert = random.chance(0.7);
  const replacement = someFields(random, view.owner);
  const operation = { replaceOne: { filter: { _id: id }, replacement, upsert } };
  if (before === undefined && !upsert) return { operation, step: { changes: [] }, told: toldNothing };
  const step = changing(view, id, { _id: id, ...replacement });
  return { operation, step, told: before === undefined ? inserted : changed };
}

function deletion(_: Random, view: View, id: string): Statement {
  const there = view.get(id) !== undefined;
  const operation = { deleteOne: { filter: { _id: id } } };
  return { operation, step: changing(view, id, undefined), told: { ...toldNothing, deleted: there ? 1 : 0 } };
}

/** A statement about all documents of the writer that have a tag. */
function aboutMany(random: Random, view: View): Statement {
  const { owner, collection } = view;
  const filter = { owner, tag: someTag(random) };
  const found = view.ids.flatMap((id) => view.get(id) ?? []).filter(({ tag }) => tag === filter.tag);
  const toChanges = (after: (before: Content) => Content | undefined): Change[] =>
    found.map((before) => ({ key: keyOf(collection, before._id), after: after(before) }));
  if (random.chance(0.2)) {
    const told = { ...toldNothing, deleted: found.length };
    return { operation: { deleteMany: { filter } }, step: { changes: toChanges(() => undefined) }, told };
  }
  const by = random.between(1, 9);
  const update: Modifiers = { $inc: { n: by, m: by }, $set: { tag: someTag(random) } };
  return {
    operation: { updateMany: { filter, update: asFilter(update) } },
    step: { changes: toChanges((before) => updated(before, before._id, update)) },
    told: { ...toldNothing, matched: found.length, modified: found.length },
  };
}

const kinds = [insertion, insertion, modification, modification, modification, guarded, guarded, replacing, deletion];

/** @param id undefined for a statement about any number of documents */
export function someStatement(random: Random, view: View, id: string | undefined): Statement {
  return id === undefined ? aboutMany(random, view) : random.pick(kinds)(random, view, id);
}

/**
 * Statements to be sent together: ordered ones see what those before them did; in unordered ones every document comes
 * once.
 */
export function someStatements(random: Random, view: View, count: number, ordered: boolean): Statement[] {
  const drafts = new Map<string, Content | undefined>();
  const draft: View = {
    ...view,
    get: (id) => {
      const key = keyOf(view.collection, id);
      return drafts.has(key) ? drafts.get(key) : view.get(id);
    },
  };
  const left = [...view.ids];
  const statements: Statement[] = [];
  while (statements.length < count && left.length > 0) {
    const at = random.between(0, left.length - 1);
    const id = ordered && random.chance(0.1) ? undefined : ordered ? left[at] : left.splice(at, 1)[0];
    const statement = someStatement(random, draft, id);
    statements.push(statement);
    // The rest would never be seen.
    if (ordered && statement.step.refusal !== undefined && random.chance(0.7)) break;
    for (const { key, after } of statement.step.changes) drafts.set(key, after);
  }
  return statements;
}
