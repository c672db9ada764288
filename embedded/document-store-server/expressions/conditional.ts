import { bsonType, itemsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { combine, lazy, type Operator, type Operators } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { isNullish, isTrue, nullValue } from './values.js';

const condRules = { notObject: 16020, unknown: 17083, names: { if: 17080, then: 17081, else: 17082 } };

const condArray = lazy(3, 3, ([test, yes, no], frame) => (isTrue(test?.evaluate(frame)) ? yes : no)?.evaluate(frame));

const cond: Operator = (operand, compiler, name) => {
  if (operand.type !== bsonType.document) return condArray(operand, compiler, name);
  const given = namedArguments(operand, condRules, name);
  const test = requiredArgument(given, 'if', compiler);
  const yes = requiredArgument(given, 'then', compiler);
  const no = requiredArgument(given, 'else', compiler);
  return combine([test, yes, no], (frame) => (isTrue(test.evaluate(frame)) ? yes : no).evaluate(frame));
};

const ifNullArray = lazy(0, Number.POSITIVE_INFINITY, (parts, frame) => {
  const last = parts.length - 1;
  for (const part of parts.slice(0, last)) {
    const value = part.evaluate(frame);
    if (!isNullish(value)) return value;
  }
  return parts[last]?.evaluate(frame);
});

const ifNull: Operator = (operand, compiler, name) => {
  const count = operand.type === bsonType.array ? itemsOf(operand).length : 1;
  if (count < 2) throw new CommandError(1257300, `$ifNull needs at least two arguments, had: ${count}`);
  return ifNullArray(operand, compiler, name);
};

const switchRules = { notObject: 40060, unknown: 40067, names: { branches: 40068, default: undefined } };
const branchRules = { notObject: 40062, unknown: 40063, names: { case: 40064, then: 40065 } };

const switchOperator: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, switchRules, name);
  const list = given.get('branches') ?? nullValue;
  if (list.type !== bsonType.array) throw new CommandError(40061, "$switch expected an array for 'branches'");
  const branches = itemsOf(list).map((item) => {
    const branch = namedArguments(item, branchRules, name);
    return { test: requiredArgument(branch, 'case', compiler), then: requiredArgument(branch, 'then', compiler) };
  });
  if (branches.length === 0) throw new CommandError(40068, '$switch requires at least one branch');
  const otherwise = optionalArgument(given, 'default', compiler);
  return combine([...branches.flatMap(({ test, then }) => [test, then]), otherwise], (frame) => {
    const branch = branches.find(({ test }) => isTrue(test.evaluate(frame)));
    if (branch !== undefined) return branch.then.evaluate(frame);
    if (otherwise !== undefined) return otherwise.evaluate(frame);
    throw new CommandError(
      40066,
      '$switch could not find a matching branch for an input, and no default was specified',
    );
  });
};

export const conditionalOperators: Operators = { $cond: cond, $ifNull: ifNull, $switch: switchOperator };
