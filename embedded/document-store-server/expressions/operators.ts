import type { BsonValue } from '../bson/value.js';
import { bsonType, fieldsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { accumulatorOperators } from './accumulators.js';
import { arithmeticOperators } from './arithmetic.js';
import { arrayIterationOperators } from './array-iteration.js';
import { arrayOperators } from './arrays.js';
import { booleanOperators, comparisonOperators } from './comparison.js';
import { conditionalOperators } from './conditional.js';
import { conversionOperators } from './conversion.js';
import { dateTruncOperators } from './date-trunc.js';
import { dateOperators } from './dates.js';
import { combine, constant, type Operator, type Operators } from './expression.js';
import { namedArguments, requiredArgument } from './named-arguments.js';
import { objectOperators } from './objects.js';
import { regexOperators } from './regex-match.js';
import { roundingOperators } from './rounding.js';
import { setOperators } from './sets.js';
import { stringOperators } from './strings.js';

const letRules = { notObject: 16874, unknown: 16875, names: { vars: 16876, in: 16877 } };

const letOperator: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, letRules, name);
  const vars = given.get('vars') as BsonValue;
  if (vars.type !== bsonType.document) throw new CommandError(10065, 'invalid parameter: expected an object (vars)');
  const variables = fieldsOf(vars).map(([variable, value]) => ({ variable, value: compiler.compile(value) }));
  const { slots, inner } = compiler.bind(variables.map(({ variable }) => variable));
  const body = requiredArgument(given, 'in', inner);
  return combine([...variables.map(({ value }) => value), body], (frame) => {
    const values = variables.map(({ value }) => value.evaluate(frame));
    slots.forEach((slot, at) => {
      frame.slots[slot] = values[at];
    });
    return body.evaluate(frame);
  });
};

/** Every expression operator by its name. */
export const operators: Operators = {
  $literal: (operand) => constant(operand),
  $const: (operand) => constant(operand),
  $let: letOperator,
  ...arithmeticOperators,
  ...roundingOperators,
  ...comparisonOperators,
  ...booleanOperators,
  ...conditionalOperators,
  ...arrayOperators,
  ...arrayIterationOperators,
  ...setOperators,
  ...stringOperators,
  ...regexOperators,
  ...objectOperators,
  ...conversionOperators,
  ...dateOperators,
  ...dateTruncOperators,
  ...accumulatorOperators,
};
