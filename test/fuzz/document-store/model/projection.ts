// Projections of find: https://www.mongodb.com/docs/v7.0/reference/method/db.collection.find/#projection and
// https://www.mongodb.com/docs/v7.0/tutorial/project-fields-from-query-results/ (fields and embedded fields alone; of an
// array the documents in it are projected, an inclusion drops what is none, nested arrays are gone through as well)
import { isTrue } from './filter.js';
import { type Doc, insist, isArray, isDoc, type Value } from './values.js';

const inclusionInExclusion = 31253;
const exclusionInInclusion = 31254;
const collision = 31249;
const collisionAtPrefix = 31250;

type Tree = Map<string, Tree | true>;

interface Projection {
  readonly includes: boolean;
  readonly tree: Tree;
}

/** @throws Refusal for a projection that MongoDB does not take */
export function checkProjection(projection: Doc): void {
  parse(projection);
}

export function project(doc: Doc, projection: Doc): Doc {
  if (projection.size === 0) return doc;
  const { includes, tree } = parse(projection);
  return includes ? includedOf(doc, tree) : excludedOf(doc, tree);
}

/** All of them but `_id` are of one kind; `_id` comes along unless it is excluded. */
function parse(projection: Doc): Projection {
  const tree: Tree = new Map();
  const fields = [...flatten(projection, '')];
  let includes: boolean | undefined;
  for (const [path, isIncluded] of fields) {
    plant(tree, path.split('.'));
    if (path !== '_id') {
      const code = isIncluded ? inclusionInExclusion : exclusionInInclusion;
      insist(includes === undefined || includes === isIncluded, code, `${path} is of the other kind`);
      includes = isIncluded;
    }
  }
  const id = fields.find(([path]) => path === '_id')?.[1];
  const kind = includes ?? id ?? false;
  // What is planted is kept by an inclusion and taken out by an exclusion.
  if (id !== undefined && id !== kind) tree.delete('_id');
  if (id === undefined && kind && !tree.has('_id')) tree.set('_id', true);
  return { includes: kind, tree };
}

/** A document as value holds paths below its own. */
function* flatten(projection: Doc, prefix: string): Generator<[path: string, isIncluded: boolean]> {
  for (const [name, value] of projection) {
    if (isDoc(value)) yield* flatten(value, `${prefix}${name}.`);
    else yield [`${prefix}${name}`, isTrue(value)];
  }
}

function plant(tree: Tree, [name = '', ...rest]: readonly string[]): void {
  const there = tree.get(name);
  if (rest.length === 0) {
    insist(there === undefined, there === true ? collision : collisionAtPrefix, `a path ends at ${name} and goes on`);
    tree.set(name, true);
    return;
  }
  insist(there !== true, collision, `a path ends at ${name} and goes on`);
  const branch: Tree = there ?? new Map();
  tree.set(name, branch);
  plant(branch, rest);
}

function includedOf(doc: Doc, tree: Tree): Doc {
  return new Map(
    [...doc].flatMap(([name, value]): [string, Value][] => {
      const branch = tree.get(name);
      if (branch === undefined) return [];
      const kept = branch === true ? value : included(value, branch);
      return kept === undefined ? [] : [[name, kept]];
    }),
  );
}

function included(value: Value, tree: Tree): Value | undefined {
  if (isDoc(value)) return includedOf(value, tree);
  if (!isArray(value)) return undefined;
  return value.map((element) => included(element, tree)).filter((element) => element !== undefined);
}

function excludedOf(doc: Doc, tree: Tree): Doc {
  return new Map(
    [...doc].flatMap(([name, value]): [string, Value][] => {
      const branch = tree.get(name);
      if (branch === true) return [];
      return [[name, branch === undefined ? value : excluded(value, branch)]];
    }),
  );
}

function excluded(value: Value, tree: Tree): Value {
  if (isDoc(value)) return excludedOf(value, tree);
  return isArray(value) ? value.map((element) => excluded(element, tree)) : value;
}
