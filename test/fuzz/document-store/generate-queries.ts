import { BSONRegExp, Double, Int32, Long, MaxKey, MinKey } from 'bson';
import type { Random } from '../../support/seeded.js';
import { leaf, type Pool, partOf, shuffled, twin, value } from './generate-values.js';
import type { Index } from './model/indexes.js';
import { reach } from './model/paths.js';
import type { Sort } from './model/sort.js';
import { type Doc, typeNumbers, typeOf, type Value } from './model/values.js';

/** What there is to draw from: the world's values and its documents, so that filters find something. */
export interface Ground {
  readonly pool: Pool;
  readonly docs: readonly Doc[];
  /** Whether updates may write the time, of which nobody knows whether it is another one than the last. */
  readonly mayWriteTime: boolean;
}

const plainPaths = ['a', 'b', 'c', 'a.b', 'a.c', 'b.a', 'b.c', 'a.b.c', 'a.a', 'c.é'] as const;
const positions = ['a.0', 'a.1', 'b.0', 'a.0.b', 'a.b.0', 'a.1.0', 'b.0.a', 'a.0.0', 'a.b.0.c', 'a.00'] as const;

export const fieldPath = (random: Random): string => random.pick(plainPaths);
const anyPath = (random: Random): string =>
  random.chance(0.8) ? fieldPath(random) : random.chance(0.8) ? random.pick(positions) : '_id';

const patterns = [
  'a',
  '^a',
  '^ab',
  'b$',
  '^$',
  'a.b',
  '[ab]',
  '^A',
  '^é',
  '😀$',
  'a|b',
  '^a|b',
  '^(a|b)',
  'a?b',
  '^a*',
  '\\.',
  '^a\\n',
  'x',
];
const flags = ['', '', 'i', 'm', 's', 'im'];

export const regex = (random: Random): BSONRegExp => new BSONRegExp(random.pick(patterns), random.pick(flags));

/** A value that some document has at the path, if any has, else one of the pool. */
function operand(random: Random, ground: Ground, path: string): Value {
  if (ground.docs.length > 0 && random.chance(0.6)) {
    const found = reach(random.pick(ground.docs), path, true).filter((one) => one !== undefined);
    if (found.length > 0) return random.chance(0.3) ? twin(random, random.pick(found)) : random.pick(found);
    return partOf(random, random.pick(ground.docs));
  }
  return random.chance(0.75) ? leaf(random, ground.pool) : value(random, ground.pool, 2);
}

const several = <T>(random: Random, low: number, high: number, make: () => T): T[] =>
  Array.from({ length: random.between(low, high) }, make);

/** A filter of a few clauses; now and then one that MongoDB refuses. */
export function filter(random: Random, ground: Ground, depth = 2): Doc {
  const clauses = random.chance(0.04) ? 0 : random.pick([1, 1, 1, 2, 2, 3]);
  const doc = new Map<string, Value>();
  for (let n = 0; n < clauses; n += 1) {
    if (depth > 0 && random.chance(0.2)) {
      doc.set(
        random.pick(['$and', '$or', '$or', '$nor']),
        several(random, random.chance(0.03) ? 0 : 1, 3, () => filter(random, ground, depth - 1)),
      );
    } else {
      const path = anyPath(random);
      doc.set(path, condition(random, ground, path, depth));
    }
  }
  return doc;
}

/** A filter that the index may serve: its fields from the front, and what its partial filter asks for, or nearly. */
export function filterFor(random: Random, ground: Ground, { key, partial }: Index): Doc {
  const doc = new Map<string, Value>();
  for (const [path, asked] of partial ?? []) {
    if (random.chance(0.1)) continue;
    doc.set(path, random.chance(0.4) ? asked : tightened(random, ground, path, asked));
  }
  for (const [path] of key) {
    if (random.chance(0.2)) break;
    const operators = new Map<string, Value>();
    addOperator(
      random,
      ground,
      path,
      0,
      operators,
      random.pick(['compare', 'compare', 'range', 'in', 'equal', 'equal', 'regex']),
    );
    doc.set(doc.has(path) ? '$and' : path, doc.has(path) ? [new Map([[path, operators]])] : operators);
  }
  if (random.chance(0.2)) for (const [path, one] of filter(random, ground, 1)) if (!doc.has(path)) doc.set(path, one);
  return doc;
}

/** Another operand for the same operator, or equality with a value. */
function tightened(random: Random, ground: Ground, path: string, asked: Value): Value {
  const operators = new Map<string, Value>();
  const own = asked instanceof Map ? [...(asked as Doc).keys()][0] : undefined;
  const comparison = own === undefined || !own.startsWith('$') || ['$exists', '$type'].includes(own) ? '$lt' : own;
  const name = random.chance(0.5) ? comparison : random.pick(['$eq', '$eq', '$lt', '$gte']);
  const edges = [new Double(Number.NaN), new MinKey(), new MaxKey()];
  operators.set(name, random.chance(0.2) ? random.pick(edges) : operand(random, ground, path));
  if (typeOf(operators.get(name) as Value) === 'regex') operators.set(name, 'a');
  return operators;
}

function condition(random: Random, ground: Ground, path: string, depth: number): Value {
  if (random.chance(0.3)) return random.chance(0.1) ? regex(random) : operand(random, ground, path);
  const operators = new Map<string, Value>();
  for (let n = random.pick([1, 1, 1, 2, 2, 3]); n > 0; n -= 1) addOperator(random, ground, path, depth, operators);
  return operators;
}

function addOperator(
  random: Random,
  ground: Ground,
  path: string,
  depth: number,
  operators: Map<string, Value>,
  kind: string = random.chance(0.01) ? 'mod' : random.pick(operatorNames),
): void {
  const one = () => operand(random, ground, path);
  switch (kind) {
    case 'compare':
      operators.set(random.pick(['$eq', '$gt', '$gte', '$lt', '$lte', '$gt', '$gte', '$lt', '$lte', '$ne']), one());
      return;
    case 'equal':
      operators.set('$eq', one());
      return;
    case 'range':
      operators.set(random.pick(['$gt', '$gte']), one());
      operators.set(random.pick(['$lt', '$lte']), one());
      return;
    case 'in':
      operators.set(
        random.pick(['$in', '$in', '$nin']),
        several(random, 0, 4, () => (random.chance(0.07) ? regex(random) : one())),
      );
      return;
    case 'all':
      operators.set(
        '$all',
        random.chance(0.15)
          ? several(random, 1, 2, () => elemMatch(random, ground, path, depth))
          : several(random, 0, 3, one),
      );
      return;
    case 'elemMatch':
      operators.set('$elemMatch', elemMatch(random, ground, path, depth).get('$elemMatch') as Value);
      return;
    case 'exists':
      operators.set('$exists', random.pick([true, true, false, false, new Int32(0), new Double(1), null, '']));
      return;
    case 'type':
      operators.set('$type', types(random));
      return;
    case 'size':
      operators.set(
        '$size',
        random.pick([new Int32(0), new Int32(1), new Int32(2), new Double(2), Long.fromNumber(3), new Int32(-1)]),
      );
      return;
    case 'regex':
      operators.set('$regex', random.chance(0.3) ? regex(random) : random.pick(patterns));
      if (typeof operators.get('$regex') === 'string' && random.chance(0.5))
        operators.set('$options', random.pick(flags));
      return;
    case 'not':
      operators.set('$not', not(random, ground, path, depth));
      return;
    default:
      operators.set('$mod', [new Int32(random.pick([1, 2, 3, -2, 0])), new Int32(random.pick([0, 1, -1]))]);
  }
}

const operatorNames = [
  ...['compare', 'compare', 'compare', 'compare', 'compare', 'compare', 'range', 'range', 'in', 'in', 'in', 'all'],
  ...['elemMatch', 'elemMatch', 'exists', 'type', 'size', 'regex', 'not', 'not'],
];

function elemMatch(random: Random, ground: Ground, path: string, depth: number): Doc {
  if (depth > 0 && random.chance(0.5)) {
    const inner: Ground = { ...ground, docs: elementsAt(ground, path) };
    return new Map([['$elemMatch', filter(random, inner, depth - 1)]]);
  }
  const operators = new Map<string, Value>();
  addOperator(random, ground, path, depth - 1, operators);
  if (random.chance(0.5)) addOperator(random, ground, path, depth - 1, operators);
  return new Map([['$elemMatch', operators]]);
}

/** The documents in the arrays at a path. */
function elementsAt({ docs }: Ground, path: string): Doc[] {
  return docs.flatMap((doc) => reach(doc, path, true)).filter((one): one is Doc => one instanceof Map);
}

function not(random: Random, ground: Ground, path: string, depth: number): Value {
  if (random.chance(0.1)) return regex(random);
  if (random.chance(0.03)) return random.pick([new Int32(1), new Map()]);
  const operators = new Map<string, Value>();
  addOperator(random, ground, path, depth, operators);
  if (random.chance(0.3)) addOperator(random, ground, path, depth, operators);
  return operators;
}

const typeNames = [...Object.keys(typeNumbers), 'number', 'null', 'array', 'object'];

function types(random: Random): Value {
  const one = (): Value =>
    random.chance(0.7) ? random.pick(typeNames) : new Int32(random.pick(Object.values(typeNumbers)));
  if (random.chance(0.02)) return 'nothing';
  return random.chance(0.7) ? one() : several(random, random.chance(0.1) ? 0 : 1, 3, one);
}

/** One to three fields; by position seldom, and then alone. */
export function sort(random: Random): Sort {
  const direction = () => random.pick([1, -1] as const);
  if (random.chance(0.05)) return [[random.pick(['a.0', 'b.0', 'a.1.b', 'a.0.b']), direction()]];
  const paths = shuffled(random, [...plainPaths, '_id']).slice(0, random.pick([1, 1, 2, 2, 3]));
  return paths
    .filter((path, at) => !paths.slice(0, at).some((other) => clash(path, other)))
    .map((path) => [path, direction()]);
}

export const clash = (a: string, b: string) => `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);

/** Fields to show or to leave out; now and then a mixture that is refused. */
export function projection(random: Random): Doc {
  const shown = random.chance(0.5);
  const yes: Value[] = [new Int32(1), new Int32(1), true, new Double(2), Long.fromNumber(1), new Double(-0.5)];
  const no: Value[] = [new Int32(0), new Int32(0), false, new Double(0), Long.fromNumber(0)];
  const made = new Map<string, Value>();
  const taken: string[] = [];
  for (let n = random.pick([1, 1, 2, 3]); n > 0; n -= 1) {
    const path = random.pick([...plainPaths, 'a.0', 'b.0.a', '_id.n', 'd']);
    if (taken.some((other) => clash(path, other)) && random.chance(0.9)) continue;
    taken.push(path);
    made.set(path, random.pick(shown === random.chance(0.98) ? yes : no));
  }
  if (random.chance(0.3)) made.set('_id', random.pick(random.chance(0.7) ? no : yes));
  return made;
}

/** Whether a value can be the operand of an equality in a partial filter, which takes no regular expression. */
export const isPlainOperand = (one: Value): boolean => typeOf(one) !== 'regex' && one !== null;
