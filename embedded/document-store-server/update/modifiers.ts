import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, eachField, fieldsOf, typeName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import type { Filter } from '../query/filter.js';
import { firstName, strictNames } from '../query/path.js';
import { parseArrayFilters } from './array-filters.js';
import { parseAddToSet, parsePop, parsePull, parsePullAll } from './array-operators.js';
import { addLeaf, type Branch, identifierOf, isItemsName, newBranch } from './node.js';
import type { ParseOperator } from './operator.js';
import { type PipelineUpdate, parsePipelineUpdate } from './pipeline.js';
import { parsePush } from './push.js';
import { parseRename, type Rename } from './rename.js';
import { checkReplacement } from './replacement.js';
import {
  parseBit,
  parseCurrentDate,
  parseInc,
  parseMax,
  parseMin,
  parseMul,
  parseSet,
  parseSetOnInsert,
  parseUnset,
} from './value-operators.js';

export interface ModifierUpdate {
  kind: 'modify';
  root: Branch;
  renames: Rename[];
  filters: ReadonlyMap<string, Filter>;
  /** a path has the positional `$` */
  positional: boolean;
}

export type Update = { kind: 'replace'; document: BsonValue } | ModifierUpdate | PipelineUpdate;

const operators = new Map<string, ParseOperator>([
  ['$set', parseSet],
  ['$setOnInsert', parseSetOnInsert],
  ['$unset', parseUnset],
  ['$inc', parseInc],
  ['$mul', parseMul],
  ['$min', parseMin],
  ['$max', parseMax],
  ['$bit', parseBit],
  ['$currentDate', parseCurrentDate],
  ['$push', parsePush],
  ['$addToSet', parseAddToSet],
  ['$pull', parsePull],
  ['$pullAll', parsePullAll],
  ['$pop', parsePop],
]);

const rename = '$rename';

/** The operators that updates may have. */
export const updateOperators = [...operators.keys(), rename];

/** Checks `$`, `$[]` and `$[identifier]` in a path. @returns whether it has a `$` */
function checkDynamicNames(path: string, names: string[], filters: ReadonlyMap<string, Filter>, used: Set<string>) {
  const places = names.flatMap((name, at) => (name === '$' ? [at] : []));
  if (places.length > 1) {
    throw new CommandError(code.badValue, `Too many positional (i.e. '$') elements found in path '${path}'`);
  }
  if (places[0] === 0) {
    throw new CommandError(
      code.badValue,
      `Cannot have positional (i.e. '$') element in the first position in path '${path}'`,
    );
  }
  names.forEach((name, at) => {
    if (!isItemsName(name)) return;
    const identifier = identifierOf(name);
    if (at === 0) {
      throw new CommandError(
        code.badValue,
        `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
      );
    }
    if (identifier === '') return;
    if (!filters.has(identifier)) {
      throw new CommandError(code.badValue, `No array filter found for identifier '${identifier}' in path '${path}'`);
    }
    used.add(identifier);
  });
  return places.length > 0;
}

function parseModifiers(update: BsonValue, filters: ReadonlyMap<string, Filter>): ModifierUpdate {
  const root = newBranch();
  const renames: Rename[] = [];
  const used = new Set<string>();
  let positional = false;
  for (const [name, operand] of fieldsOf(update)) {
    const parse = operators.get(name);
    if (parse === undefined && name !== rename) {
      throw new CommandError(
        code.failedToParse,
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array. Supported are ${updateOperators.join(', ')}`,
      );
    }
    if (operand.type !== bsonType.document) {
      throw new CommandError(
        code.failedToParse,
        `Modifiers operate on fields but we found type ${typeName(operand.type)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${toText(operand)}}`,
      );
    }
    eachField(operand, (path, value) => {
      const names = strictNames(path);
      if (parse === undefined) {
        const parsed = parseRename(value, path);
        renames.push(parsed);
        addLeaf(root, path, names, parsed.source);
        addLeaf(root, parsed.targetPath, parsed.targetNames, parsed.target);
        return false;
      }
      if (path.includes('$') && checkDynamicNames(path, names, filters, used)) positional = true;
      addLeaf(root, path, names, parse(value, path));
      return false;
    });
  }
  for (const identifier of filters.keys()) {
    if (!used.has(identifier)) {
      throw new CommandError(
        code.failedToParse,
        `The array filter for identifier '${identifier}' was not used in the update ${toText(update)}`,
      );
    }
  }
  return { kind: 'modify', root, renames, filters, positional };
}

/**
 * Parses the `u` of an update: a replacement, modifiers, or a pipeline.
 *
 * @throws CommandError 9 for an unknown modifier, 40 for two changes to one path, 2 and 14 for operands
 */
export function parseUpdate(update: BsonValue, arrayFilters: BsonValue | undefined, expressions: Expressions): Update {
  if (update.type === bsonType.array) {
    if (arrayFilters !== undefined) {
      throw new CommandError(code.failedToParse, 'arrayFilters may not be specified for pipeline-style updates');
    }
    return parsePipelineUpdate(update, expressions);
  }
  if (update.type !== bsonType.document) {
    throw new CommandError(code.failedToParse, 'Update argument must be either an object or an array');
  }
  const filters = parseArrayFilters(arrayFilters);
  if (firstName(update)?.startsWith('$') === true) return parseModifiers(update, filters);
  if (filters.size > 0) {
    throw new CommandError(code.failedToParse, 'arrayFilters may not be specified for replacement-style updates');
  }
  checkReplacement(update);
  return { kind: 'replace', document: update };
}
