import { type BsonValue, bsonType, itemsOf, typeName } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { nullValue, type Value } from './values.js';

/** What an expression is evaluated on: the document, and the variables' values by their slots. */
export interface Frame {
  root: BsonValue;
  slots: Value[];
}

/** A compiled expression. */
export interface Expression {
  evaluate(frame: Frame): Value;
  /** it reads neither the document nor a variable, so its value is the same everywhere */
  constant: boolean;
}

/** Compiles what stands inside an operator. */
export interface Compiler {
  compile(value: BsonValue): Expression;
  /** The same with more variables, each in a slot of its own. */
  bind(names: readonly string[]): { slots: number[]; inner: Compiler };
}

/** @param operand what stands behind the operator's name */
export type Operator = (operand: BsonValue, compiler: Compiler, name: string) => Expression;

export type Operators = Record<string, Operator>;

const noFrame: Frame = { root: nullValue, slots: [] };

export function constant(value: Value): Expression {
  return { evaluate: () => value, constant: true };
}

/** The value of a constant expression. */
export function constantValue(expression: Expression): Value {
  return expression.evaluate(noFrame);
}

/** An expression over parts; it is worked out once when all parts are constant. */
export function combine(parts: readonly (Expression | undefined)[], evaluate: (frame: Frame) => Value): Expression {
  if (parts.every((part) => part === undefined || part.constant))
    return constant(evaluate({ root: nullValue, slots: [] }));
  return { evaluate, constant: false };
}

export function typeOf(value: Value): string {
  return value === undefined ? 'missing' : typeName(value.type);
}

function argumentsOf(operand: BsonValue, compiler: Compiler): Expression[] {
  return (operand.type === bsonType.array ? itemsOf(operand) : [operand]).map((item) => compiler.compile(item));
}

function checkCount(name: string, count: number, least: number, most: number): void {
  if (count >= least && count <= most) return;
  if (least === most) {
    throw new CommandError(16020, `Expression ${name} takes exactly ${least} arguments. ${count} were passed in.`);
  }
  throw new CommandError(
    28667,
    `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${count} were passed in.`,
  );
}

/** An operator of one argument, given alone or as the only item of an array. */
export function unary(evaluate: (value: Value, name: string) => Value): Operator {
  return (operand, compiler, name) => {
    const parts = argumentsOf(operand, compiler);
    checkCount(name, parts.length, 1, 1);
    const [only = constant(undefined)] = parts;
    return combine(parts, (frame) => evaluate(only.evaluate(frame), name));
  };
}

export function binary(evaluate: (left: Value, right: Value, name: string) => Value): Operator {
  return (operand, compiler, name) => {
    const parts = argumentsOf(operand, compiler);
    checkCount(name, parts.length, 2, 2);
    const [left = constant(undefined), right = constant(undefined)] = parts;
    return combine(parts, (frame) => evaluate(left.evaluate(frame), right.evaluate(frame), name));
  };
}

/** An operator of `least` to `most` arguments, all of them evaluated. */
export function ranged(least: number, most: number, evaluate: (values: Value[], name: string) => Value): Operator {
  return lazy(least, most, (parts, frame, name) =>
    evaluate(
      parts.map((part) => part.evaluate(frame)),
      name,
    ),
  );
}

/** Like `ranged`, but the operator itself evaluates as many of its arguments as it needs. */
export function lazy(
  least: number,
  most: number,
  evaluate: (parts: readonly Expression[], frame: Frame, name: string) => Value,
): Operator {
  return (operand, compiler, name) => {
    const parts = argumentsOf(operand, compiler);
    checkCount(name, parts.length, least, most);
    return combine(parts, (frame) => evaluate(parts, frame, name));
  };
}
