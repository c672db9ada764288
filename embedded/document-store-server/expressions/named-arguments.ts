import { type BsonValue, bsonType, fieldsOf, typeName } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { type Compiler, constant, type Expression } from './expression.js';

/** MongoDB's error codes for an operator whose argument is an object with names. */
export interface ArgumentRules {
  notObject: number;
  unknown: number;
  /** every name that may be given; with a code where it must be */
  names: Record<string, number | undefined>;
}

/** The arguments of an operator such as `{ $filter: { input, as, cond } }` by their names. */
export function namedArguments(operand: BsonValue, rules: ArgumentRules, operator: string): Map<string, BsonValue> {
  if (operand.type !== bsonType.document) {
    throw new CommandError(
      rules.notObject,
      `${operator} only supports an object as its argument, not ${typeName(operand.type)}`,
    );
  }
  const given = new Map<string, BsonValue>();
  for (const [name, value] of fieldsOf(operand)) {
    if (!Object.hasOwn(rules.names, name)) {
      const known = Object.keys(rules.names).join(', ');
      throw new CommandError(rules.unknown, `Unrecognized argument to ${operator}: ${name}; known are ${known}`);
    }
    given.set(name, value);
  }
  for (const [name, missing] of Object.entries(rules.names)) {
    if (missing !== undefined && !given.has(name)) {
      throw new CommandError(missing, `Missing '${name}' parameter to ${operator}`);
    }
  }
  return given;
}

/** An argument compiled; undefined where it is not given. */
export function optionalArgument(
  given: Map<string, BsonValue>,
  name: string,
  compiler: Compiler,
): Expression | undefined {
  const value = given.get(name);
  return value === undefined ? undefined : compiler.compile(value);
}

/** An argument that the rules demand, compiled. */
export function requiredArgument(given: Map<string, BsonValue>, name: string, compiler: Compiler): Expression {
  return optionalArgument(given, name, compiler) ?? constant(undefined);
}
