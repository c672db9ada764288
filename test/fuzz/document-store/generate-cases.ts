import { Int32 } from 'bson';
import type { Random } from '../../support/seeded.js';
import type { Case, Find, FindAndModify } from './case.js';
import { fieldPath, filter, filterFor, type Ground, isPlainOperand, projection, sort } from './generate-queries.js';
import { statementByFilter, statementsById } from './generate-updates.js';
import { document, identifiers, makePool, value } from './generate-values.js';
import type { Index } from './model/indexes.js';
import type { Sort } from './model/sort.js';
import type { Doc, Value } from './model/values.js';
import type { Write } from './writes.js';

export interface World extends Omit<Case, 'operation'> {
  readonly ground: Ground;
}

/** Documents and indexes over a small alphabet of names and values. */
export function world(random: Random): World {
  const pool = makePool(random);
  const docs = identifiers(random, random.between(3, 30)).map((id) => document(random, pool, id));
  const ground = { pool, docs, mayWriteTime: true };
  const made = indexes(random, ground);
  const mayWriteTime = !made.some(({ unique }) => unique);
  return { docs, ground: { ...ground, mayWriteTime }, indexes: made, indexesLast: random.chance(0.5) };
}

function indexes(random: Random, ground: Ground): Index[] {
  const made = new Map<string, Index>();
  for (let n = random.between(1, 4); n > 0; n -= 1) {
    const key = sort(random).filter(([path]) => !/\.\d+/.test(path) && path !== '_id');
    if (key.length === 0) continue;
    const kind = random.next();
    const index: Index = {
      key,
      unique: random.chance(0.15),
      sparse: kind < 0.2,
      partial: kind > 0.75 ? partial(random, ground) : undefined,
    };
    made.set(key.map(([path, direction]) => `${path} ${direction}`).join(), index);
  }
  return [...made.values()];
}

function partial(random: Random, { pool }: Ground): Doc {
  const clause = (): [string, Value] => {
    const path = fieldPath(random);
    const operand = random.pick([value(random, pool, 1), new Int32(1)]);
    if (random.chance(0.35)) return [path, new Map([['$exists', true]])];
    if (random.chance(0.2)) return [path, new Map([['$type', random.pick(['number', 'string', 'object'])]])];
    const plain = isPlainOperand(operand) ? operand : new Int32(1);
    if (random.chance(0.3)) return [path, new Map([['$eq', plain]])];
    return [path, new Map([[random.pick(['$gt', '$gte', '$lt', '$lte']), plain]])];
  };
  return new Map(random.chance(0.8) ? [clause()] : [clause(), clause()]);
}

/** Statements about single documents, one about what a filter finds, or a deletion. */
export function write(random: Random, ground: Ground, freshId: () => Value): Write {
  const kind = random.next();
  if (kind < 0.55) return { kind: 'update', statements: statementsById(random, ground, 25, freshId) };
  if (kind < 0.8) return { kind: 'update', statements: [statementByFilter(random, ground)] };
  if (kind < 0.95) return findAndModify(random, ground, freshId);
  return { kind: 'delete', filter: filter(random, ground), multi: random.chance(0.2) };
}

function findAndModify(random: Random, ground: Ground, freshId: () => Value): FindAndModify {
  const [statement] = statementsById(random, ground, 1, freshId);
  const removes = random.chance(0.2);
  const byId = statement !== undefined && random.chance(0.4);
  return {
    kind: 'findAndModify',
    filter: byId ? statement.q : filter(random, ground),
    sort: random.chance(0.6) ? sort(random) : [],
    update: removes ? undefined : (statement?.u ?? new Map()),
    returnsNew: !removes && random.chance(0.5),
    upsert: !removes && byId && statement.upsert,
    fields: random.chance(0.3) ? projection(random) : new Map(),
  };
}

export function find(random: Random, ground: Ground, indexes: readonly Index[]): Find {
  const index = indexes.length > 0 && random.chance(0.4) ? random.pick(indexes) : undefined;
  const asked = index === undefined ? filter(random, ground) : filterFor(random, ground, index);
  if (random.chance(0.2)) return { ...findAll(asked), projection: projection(random) };
  const window = random.chance(0.25);
  return {
    ...findAll(asked),
    sort: random.chance(0.45)
      ? index === undefined || random.chance(0.3)
        ? sort(random)
        : sortFor(random, index)
      : [],
    skip: window && random.chance(0.6) ? random.between(0, 6) : 0,
    limit: window ? random.between(0, 8) : 0,
  };
}

/** A sort that the index may give: some of its fields in its order, mostly all forwards or all backwards. */
function sortFor(random: Random, { key }: Index): Sort {
  const turn = random.pick([1, -1]);
  return key
    .slice(random.between(0, key.length - 1))
    .map(([path, direction]) => [path, (random.chance(0.9) ? direction * turn : direction) as 1 | -1]);
}

const findAll = (asked: Doc): Find => ({
  kind: 'find',
  filter: asked,
  sort: [],
  skip: 0,
  limit: 0,
  projection: new Map(),
});
