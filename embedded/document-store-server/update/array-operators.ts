import { assembleArray } from '../bson/assemble.js';
import { compareValues, encodeKey } from '../bson/key-encoding.js';
import { toInteger } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf, typeName } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { firstName } from '../query/path.js';
import { mostLevelsIn } from './nesting.js';
import type { Operator, ParseOperator } from './operator.js';

/** Equal for equal values, whatever type their numbers have; documents with their fields in the same order. */
function identity(value: BsonValue): string {
  return encodeKey(value).toString('latin1');
}

function withoutRepeats(values: BsonValue[], present: Set<string>): BsonValue[] {
  return values.filter((value) => {
    const key = identity(value);
    return !present.has(key) && present.add(key);
  });
}

export const parseAddToSet: ParseOperator = (operand, path) => {
  let values = [operand];
  const [first, ...others] = operand.type === bsonType.document ? fieldsOf(operand) : [];
  if (first?.[0] === '$each') {
    if (first[1].type !== bsonType.array) {
      throw new CommandError(
        code.typeMismatch,
        `The argument to $each in $addToSet must be an array but it was of type ${typeName(first[1].type)}`,
      );
    }
    if (others.length > 0) {
      throw new CommandError(code.badValue, `Found unexpected fields after $each in $addToSet: ${toText(operand)}`);
    }
    values = itemsOf(first[1]);
  }
  return {
    change(current) {
      if (current.type !== bsonType.array) {
        throw new CommandError(
          code.badValue,
          `Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${typeName(current.type)}`,
        );
      }
      const items = itemsOf(current);
      const added = withoutRepeats(values, new Set(items.map(identity)));
      return added.length === 0 ? current : assembleArray([...items, ...added]);
    },
    create: () => assembleArray(withoutRepeats(values, new Set())),
    strict: false,
    levels: 1 + mostLevelsIn(values),
  };
};

/** Takes the items that `isRemoved` picks out of an array. */
function culling(isRemoved: (item: BsonValue) => boolean): Operator {
  return {
    change(current) {
      if (current.type !== bsonType.array) {
        throw new CommandError(code.badValue, 'Cannot apply $pull to a non-array value');
      }
      const items = itemsOf(current);
      const kept = items.filter((item) => !isRemoved(item));
      return kept.length === items.length ? current : assembleArray(kept);
    },
    create: () => undefined,
    strict: true,
    levels: 0,
  };
}

/** Names with `$` that begin a query of documents, not a condition on the item itself. */
const topLevelNames = new Set([
  '$and',
  '$or',
  '$nor',
  '$comment',
  '$expr',
  '$where',
  '$text',
  '$jsonSchema',
  '$ref',
  '$id',
  '$db',
]);

/** Operators and patterns ask the item as a field's value is asked; a document asks the fields of items. */
export const parsePull: ParseOperator = (operand) => {
  const first = operand.type === bsonType.document ? firstName(operand) : undefined;
  const asksItem = first?.startsWith('$') === true && !topLevelNames.has(first);
  if (asksItem || operand.type === bsonType.regex) {
    const filter = parseFilter(documentValue(writeFields([['', operand]])));
    return culling((item) => matchesFilter(filter, documentValue(writeFields([['', item]]))));
  }
  if (operand.type === bsonType.document) {
    const filter = parseFilter(operand);
    return culling((item) => item.type === bsonType.document && matchesFilter(filter, item));
  }
  return culling((item) => compareValues(item, operand) === 0);
};

export const parsePullAll: ParseOperator = (operand) => {
  if (operand.type !== bsonType.array) {
    throw new CommandError(
      code.badValue,
      `$pullAll requires an array argument but was given a ${typeName(operand.type)}`,
    );
  }
  const removed = new Set(itemsOf(operand).map(identity));
  return culling((item) => removed.has(identity(item)));
};

export const parsePop: ParseOperator = (operand, path) => {
  const side = operand.isNumber ? toInteger(operand) : undefined;
  if (side === undefined) {
    throw new CommandError(code.failedToParse, `Expected a whole number in: ${path}: ${toText(operand)}`);
  }
  if (side !== 1n && side !== -1n) throw new CommandError(code.failedToParse, `$pop expects 1 or -1, found: ${side}`);
  return {
    change(current) {
      if (current.type !== bsonType.array) {
        throw new CommandError(
          code.typeMismatch,
          `Path '${path}' contains an element of non-array type '${typeName(current.type)}'`,
        );
      }
      const items = itemsOf(current);
      if (items.length === 0) return current;
      return assembleArray(side === 1n ? items.slice(0, -1) : items.slice(1));
    },
    create: () => undefined,
    strict: true,
    levels: 0,
  };
};
