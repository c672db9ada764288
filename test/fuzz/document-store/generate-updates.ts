import { Decimal128, Double, Int32, Long } from 'bson';
import type { Random } from '../../support/seeded.js';
import type { Statement } from './case.js';
import { clash, fieldPath, filter, type Ground, regex } from './generate-queries.js';
import { document, embedded, leaf, type Pool, partOf, value } from './generate-values.js';
import type { Doc, Value } from './model/values.js';

const paths = [
  'a',
  'a',
  'a',
  'b',
  'b',
  'b',
  'c',
  'c',
  'c',
  'd',
  'a.b',
  'a.c',
  'b.a',
  'b.c',
  'c.a',
  'a.b.c',
  'd',
  'd.a',
] as const;
const positions = ['a.0', 'a.1', 'b.0', 'a.0.b', 'b.3', 'c.2', 'a.b.0', 'a.10', 'c.0.0'] as const;

const updatePath = (random: Random): string =>
  random.chance(0.82)
    ? random.pick(paths)
    : random.chance(0.9)
      ? random.pick(positions)
      : random.pick(['_id', 'a.', '_id.n', 'e']);

const operatorNames = [
  ...[
    '$set',
    '$set',
    '$set',
    '$unset',
    '$inc',
    '$inc',
    '$mul',
    '$min',
    '$max',
    '$push',
    '$push',
    '$push',
    '$addToSet',
    '$addToSet',
  ],
  ...['$pull', '$pull', '$pullAll', '$pop', '$rename', '$currentDate', '$setOnInsert', '$bit'],
];

const number = (random: Random, pool: Pool): Value =>
  random.pick<Value>([
    new Int32(1),
    new Int32(0),
    new Int32(-2),
    new Int32(2147483647),
    Long.fromNumber(1),
    Long.fromNumber(3),
    Long.fromString('9223372036854775807'),
    new Double(0.5),
    new Double(2),
    new Double(-0),
    Decimal128.fromString('0.1'),
    Decimal128.fromString('1E+3'),
    Decimal128.fromString('9999999999999999999999999999999999'),
    leaf(random, pool),
  ]);

const several = <T>(random: Random, low: number, high: number, make: () => T): T[] =>
  Array.from({ length: random.between(low, high) }, make);

function argument(random: Random, ground: Ground, operator: string): Value {
  const { pool, docs } = ground;
  const any = (): Value =>
    docs.length > 0 && random.chance(0.4) ? partOf(random, random.pick(docs)) : value(random, pool, 2);
  switch (operator) {
    case '$unset':
      return random.pick(['', true, new Int32(1)]);
    case '$inc':
    case '$mul':
      return number(random, pool);
    case '$push':
      return random.chance(0.4) ? any() : pushed(random, any);
    case '$addToSet':
      if (random.chance(0.5)) return any();
      return new Map<string, Value>([['$each', random.chance(0.03) ? any() : several(random, 0, 3, any)]]);
    case '$pull':
      return pulled(random, ground, any);
    case '$pullAll':
      return random.chance(0.04) ? any() : several(random, 0, 3, any);
    case '$pop':
      return random.pick([new Int32(1), new Int32(1), new Int32(-1), new Double(1), new Int32(random.between(0, 2))]);
    case '$rename':
      return random.chance(0.02) ? any() : updatePath(random);
    case '$currentDate':
      return random.pick<Value>([
        true,
        false,
        new Map([['$type', random.pick(['date', 'timestamp', 'date', 'timestamp', 'time'])]]),
      ]);
    case '$bit':
      return new Map([
        [
          random.pick(['and', 'or', 'xor']),
          random.chance(0.05) ? any() : random.pick<Value>([new Int32(5), Long.fromNumber(6), new Int32(-1)]),
        ],
      ]);
    default:
      return any();
  }
}

function pushed(random: Random, any: () => Value): Value {
  const clauses: [string, Value][] = [['$each', several(random, 0, 3, any)]];
  const whole = () =>
    random.pick<Value>([new Int32(random.between(-3, 3)), Long.fromNumber(random.between(-2, 2)), new Double(1)]);
  if (random.chance(0.35)) clauses.push(['$position', whole()]);
  if (random.chance(0.35)) clauses.push(['$slice', random.chance(0.03) ? new Double(0.5) : whole()]);
  if (random.chance(0.35)) {
    const direction = () => new Int32(random.pick([1, -1, 1, -1, 1, -1, 1, -1, 2]));
    const fields = () =>
      new Map(several(random, 1, 2, () => [random.pick(['a', 'b', 'c', 'a.b']), direction()] as const));
    clauses.push(['$sort', random.chance(0.5) ? direction() : fields()]);
  }
  return new Map(random.chance(0.3) ? clauses.reverse() : clauses);
}

function pulled(random: Random, ground: Ground, any: () => Value): Value {
  switch (random.between(0, 4)) {
    case 0:
      return new Map([[random.pick(['$gt', '$gte', '$lt', '$lte', '$ne', '$eq']), any()]]);
    case 1:
      return new Map([[random.pick(['$in', '$nin']), several(random, 0, 3, any)]]);
    case 2:
      return random.chance(0.2) ? regex(random) : filter(random, ground, 0);
    default:
      return any();
  }
}

/** Modifiers of a few fields, or a replacement; now and then what MongoDB refuses. */
export function update(random: Random, ground: Ground): Doc {
  if (random.chance(0.06)) return replacement(random, ground);
  const made = new Map<string, Map<string, Value>>();
  const taken: string[] = [];
  for (let n = random.pick([1, 1, 1, 2, 3]); n > 0; n -= 1) {
    const operator = random.chance(0.01) ? '$foo' : random.pick(operatorNames);
    if (operator === '$currentDate' && !ground.mayWriteTime) continue;
    const fields = made.get(operator) ?? new Map<string, Value>();
    for (let m = random.pick([0, 1, 1, 1, 1, 1, 2]); m > 0; m -= 1) {
      const path = updatePath(random);
      const written = argument(random, ground, operator);
      const places = operator === '$rename' ? [path, String(written)] : [path];
      if (places.some((place) => taken.some((other) => clash(place, other))) && random.chance(0.95)) continue;
      taken.push(...places);
      fields.set(path, written);
    }
    made.set(operator, fields);
  }
  return made;
}

function replacement(random: Random, { pool }: Ground): Doc {
  const [, ...fields] = document(random, pool, null);
  return new Map(fields);
}

/** Updates of one document each, found by its `_id`; some of them upserts. */
export function statementsById(random: Random, ground: Ground, count: number, freshId: () => Value): Statement[] {
  return Array.from({ length: count }, () => {
    const isUpsert = random.chance(0.15);
    const id = isUpsert && random.chance(0.8) ? freshId() : (random.pick(ground.docs).get('_id') ?? null);
    const q = new Map<string, Value>([['_id', id]]);
    if (isUpsert) for (const [path, one] of equalities(random, ground)) q.set(path, one);
    else if (random.chance(0.1)) q.set('$and', [filter(random, ground, 1)]);
    return { q, u: update(random, ground), multi: false, upsert: isUpsert };
  });
}

function equalities(random: Random, { pool }: Ground): [string, Value][] {
  return several(random, 0, 2, (): [string, Value] => {
    const one = random.chance(0.7) ? leaf(random, pool) : embedded(random, pool, 1);
    const path = random.chance(0.7) ? fieldPath(random) : random.pick(['a.0', 'd', 'a.x']);
    switch (random.between(0, 5)) {
      case 0:
        return [path, new Map([['$eq', one]])];
      case 1:
        return [path, new Map([['$gte', one]])];
      case 2:
        return [path, new Map([['$all', [one]]])];
      case 3:
        return ['$and', [new Map([[path, one]])]];
      default:
        return [path, one];
    }
  });
}

export function statementByFilter(random: Random, ground: Ground): Statement {
  const u = update(random, ground);
  return { q: filter(random, ground), u, multi: random.chance(0.7), upsert: false };
}
