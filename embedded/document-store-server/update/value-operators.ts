import { compareValues } from '../bson/key-encoding.js';
import { addExactly, multiplyExactly, toInteger } from '../bson/numbers.js';
import { sameBytes } from '../bson/same-bytes.js';
import { toText } from '../bson/to-text.js';
import { BsonValue, bsonType, fieldsOf, getField, typeName } from '../bson/value.js';
import { toBson } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { levelsIn } from './nesting.js';
import type { Operator, ParseOperator, Run } from './operator.js';

const idName = Buffer.from('_id');

/** The document a message is about. */
export function idText({ document }: Run): string {
  const id = getField(document, idName);
  return id === undefined ? '{}' : `{_id: ${toText(id)}}`;
}

export const parseSet: ParseOperator = (operand) => ({
  change: (current) => (sameBytes(current, operand) ? current : operand),
  create: () => operand,
  strict: false,
  levels: levelsIn(operand),
});

export const parseSetOnInsert: ParseOperator = (operand) => ({
  change: (current, run) => (!run.inserting || sameBytes(current, operand) ? current : operand),
  create: (run) => (run.inserting ? operand : undefined),
  strict: false,
  levels: levelsIn(operand),
});

export const parseUnset: ParseOperator = () => ({
  change: () => undefined,
  create: () => undefined,
  strict: false,
  levels: 0,
});

function arithmetic(
  name: '$inc' | '$mul',
  verb: string,
  compute: (a: BsonValue, b: BsonValue) => BsonValue | undefined,
  create: (operand: BsonValue) => BsonValue | undefined,
): ParseOperator {
  return (operand, path) => {
    if (!operand.isNumber) {
      const shown = `{${path}: ${toText(operand)}}`;
      throw new CommandError(code.typeMismatch, `Cannot ${verb} with non-numeric argument: ${shown}`);
    }
    return {
      change(current, run) {
        if (!current.isNumber) {
          throw new CommandError(
            code.typeMismatch,
            `Cannot apply ${name} to a value of non-numeric type. ${idText(run)} has the field '${path}' of non-numeric type ${typeName(current.type)}`,
          );
        }
        const result = compute(operand, current);
        if (result === undefined) {
          throw new CommandError(
            code.badValue,
            `Failed to apply ${name} operations to current value (${toText(current)}) for document ${idText(run)}: beyond int64`,
          );
        }
        return sameBytes(current, result) ? current : result;
      },
      create: () => create(operand),
      strict: false,
      levels: 0,
    };
  };
}

export const parseInc = arithmetic('$inc', 'increment', addExactly, (operand) => operand);
/** a missing field becomes a zero of the operand's type */
export const parseMul = arithmetic('$mul', 'multiply', multiplyExactly, (operand) =>
  multiplyExactly(operand, toBson(0)),
);

function extreme(replaces: (difference: number) => boolean): ParseOperator {
  return (operand) => ({
    change: (current) => (replaces(compareValues(operand, current)) ? operand : current),
    create: () => operand,
    strict: false,
    levels: levelsIn(operand),
  });
}

export const parseMin = extreme((difference) => difference < 0);
export const parseMax = extreme((difference) => difference > 0);

const bitOperations: Record<string, (a: bigint, b: bigint) => bigint> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

const isIntegral = (value: BsonValue) => value.type === bsonType.int32 || value.type === bsonType.int64;

export const parseBit: ParseOperator = (operand, path) => {
  if (operand.type !== bsonType.document) {
    throw new CommandError(
      code.badValue,
      `The $bit modifier is not compatible with a ${typeName(operand.type)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  const steps = fieldsOf(operand).map(([name, mask]) => {
    const compute = Object.hasOwn(bitOperations, name) ? bitOperations[name] : undefined;
    if (compute === undefined) {
      throw new CommandError(code.badValue, `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}'`);
    }
    if (!isIntegral(mask)) {
      throw new CommandError(
        code.badValue,
        `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(mask.type)}' is not supported here: {${name}: ${toText(mask)}}`,
      );
    }
    return { compute, mask };
  });
  if (steps.length === 0) {
    throw new CommandError(
      code.badValue,
      'You must pass in at least one bitwise operation: {$bit: {field: {and/or/xor: #}}',
    );
  }
  const apply = (start: BsonValue) => {
    const result = steps.reduce(
      (value, { compute, mask }) => compute(value, toInteger(mask) ?? 0n),
      toInteger(start) ?? 0n,
    );
    const isInt32 = start.type === bsonType.int32 && steps.every(({ mask }) => mask.type === bsonType.int32);
    return toBson(isInt32 ? Number(result) : result);
  };
  return {
    change(current, run) {
      if (!isIntegral(current)) {
        throw new CommandError(
          code.badValue,
          `Cannot apply $bit to a value of non-integral type. ${idText(run)} has the field ${path} of non-integer type ${typeName(current.type)}`,
        );
      }
      const result = apply(current);
      return sameBytes(current, result) ? current : result;
    },
    create: () => apply(toBson(0)),
    strict: false,
    levels: 0,
  };
};

function currentTimestamp(tick: bigint): BsonValue {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(tick);
  return new BsonValue(bsonType.timestamp, bytes, 0, 8);
}

export const parseCurrentDate: ParseOperator = (operand) => {
  let kind: string | undefined;
  if (operand.type === bsonType.boolean) kind = 'date';
  else if (operand.type === bsonType.document) {
    for (const [name, value] of fieldsOf(operand)) {
      if (name !== '$type') throw new CommandError(code.badValue, `Unrecognized $currentDate option: ${name}`);
      if (value.type === bsonType.string) kind = value.text;
    }
  } else {
    throw new CommandError(
      code.badValue,
      `${typeName(operand.type)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  if (kind !== 'date' && kind !== 'timestamp') {
    throw new CommandError(
      code.badValue,
      `The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}`,
    );
  }
  const make = ({ clock }: Run) => (kind === 'date' ? toBson(new Date(clock.now())) : currentTimestamp(clock.tick()));
  const operator: Operator = { change: (_, run) => make(run), create: make, strict: false, levels: 0 };
  return operator;
};
