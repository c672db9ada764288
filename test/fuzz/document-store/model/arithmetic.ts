// $inc, $mul and $bit: https://www.mongodb.com/docs/v7.0/reference/operator/update/inc/, .../mul/ (its table of result
// types) and .../bit/. Decimal128 follows IEEE 754-2008: 34 digits, half to even, the exponent as the operands have it.
// A double becomes a decimal of 15 digits: https://www.mongodb.com/docs/v7.0/reference/operator/aggregation/toDecimal/
import { Decimal128, Double, Int32, Long } from 'bson';
import { isNumber } from './numbers.js';
import { as, insist, Refusal, type TypeName, typeOf, type Value } from './values.js';

const badValue = 2;
const typeMismatch = 14;

type Operation = 'add' | 'multiply';

/** The sum or product in the wider type; an int32 that overflows becomes a long, a long that does is refused. */
export function calculate(operation: Operation, left: Value, right: Value): Value {
  insist(isNumber(left) && isNumber(right), typeMismatch, 'cannot calculate with what is no number');
  const types: TypeName[] = [typeOf(left), typeOf(right)];
  if (types.includes('decimal')) return decimal(operation, decimalOf(left), decimalOf(right));
  if (types.includes('double')) {
    const [a, b] = [Number(numberOf(left)), Number(numberOf(right))];
    return new Double(operation === 'add' ? a + b : a * b);
  }
  const [a, b] = [BigInt(numberOf(left)), BigInt(numberOf(right))];
  const result = operation === 'add' ? a + b : a * b;
  if (!types.includes('long') && BigInt.asIntN(32, result) === result) return new Int32(Number(result));
  insist(BigInt.asIntN(64, result) === result, badValue, 'the result is too large for a long');
  return Long.fromBigInt(result);
}

export function bitwise(name: string, left: Value, right: Value): Value {
  const [a, b] = [BigInt(numberOf(left)), BigInt(numberOf(right))];
  const result = name === 'and' ? a & b : name === 'or' ? a | b : a ^ b;
  const isInt = typeOf(left) === 'int' && typeOf(right) === 'int';
  return isInt ? new Int32(Number(result)) : Long.fromBigInt(result);
}

function numberOf(value: Value): number | bigint {
  return typeOf(value) === 'long' ? as<Long>(value).toBigInt() : as<Int32 | Double>(value).value;
}

/** `digits` times ten to the power; zero has a sign too. */
interface Decimal {
  readonly special?: 'NaN' | 'Infinity';
  readonly negative: boolean;
  readonly digits: bigint;
  readonly power: number;
}

const NaNDecimal: Decimal = { special: 'NaN', negative: false, digits: 0n, power: 0 };

function decimalOf(value: Value): Decimal {
  switch (typeOf(value)) {
    case 'decimal':
      return parse(as<Decimal128>(value).toString());
    case 'double': {
      const number = as<Double>(value).value;
      return parse(
        Number.isFinite(number) ? (number === 0 ? zeroText(number) : number.toExponential(14)) : String(number),
      );
    }
    default: {
      const whole = BigInt(numberOf(value));
      return { negative: whole < 0n, digits: whole < 0n ? -whole : whole, power: 0 };
    }
  }
}

const zeroText = (number: number) => (Object.is(number, -0) ? '-0' : '0');

function parse(text: string): Decimal {
  if (text === 'NaN') return NaNDecimal;
  const negative = text.startsWith('-');
  if (text.endsWith('Infinity')) return { special: 'Infinity', negative, digits: 0n, power: 0 };
  const [, whole = '0', fraction = '', exponent = '0'] = /^[+-]?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  return { negative, digits: BigInt(whole + fraction), power: Number(exponent) - fraction.length };
}

function decimal(operation: Operation, a: Decimal, b: Decimal): Value {
  return Decimal128.fromString(textOf(operation === 'add' ? sum(a, b) : product(a, b)));
}

function sum(a: Decimal, b: Decimal): Decimal {
  if (a.special === 'NaN' || b.special === 'NaN') return NaNDecimal;
  if (a.special !== undefined) return b.special !== undefined && a.negative !== b.negative ? NaNDecimal : a;
  if (b.special !== undefined) return b;
  const power = Math.min(a.power, b.power);
  const scaled = ({ negative, digits, power: own }: Decimal) =>
    (negative ? -digits : digits) * 10n ** BigInt(own - power);
  const total = scaled(a) + scaled(b);
  const negative = total < 0n || (total === 0n && a.negative && b.negative);
  return round({ negative, digits: total < 0n ? -total : total, power });
}

function product(a: Decimal, b: Decimal): Decimal {
  const negative = a.negative !== b.negative;
  if (a.special === 'NaN' || b.special === 'NaN') return NaNDecimal;
  if (a.special !== undefined || b.special !== undefined) {
    const isZero = (one: Decimal) => one.special === undefined && one.digits === 0n;
    return isZero(a) || isZero(b) ? NaNDecimal : { special: 'Infinity', negative, digits: 0n, power: 0 };
  }
  return round({ negative, digits: a.digits * b.digits, power: a.power + b.power });
}

const mostDigits = 34;
const highestPower = 6111;
const lowestPower = -6176;

function round({ negative, digits, power }: Decimal): Decimal {
  const surplus = digits === 0n ? 0 : String(digits).length - mostDigits;
  const drop = Math.max(surplus, lowestPower - power, 0);
  const rounded = drop === 0 ? digits : halfToEven(digits, 10n ** BigInt(drop));
  if (String(rounded).length > mostDigits) return round({ negative, digits: rounded, power: power + drop });
  return fold({ negative, digits: rounded, power: power + drop });
}

/** A power that is too high is brought down by zeros behind the digits, as far as there is room. */
function fold({ negative, digits, power }: Decimal): Decimal {
  if (power <= highestPower) return { negative, digits, power };
  if (digits === 0n) return { negative, digits, power: highestPower };
  const zeros = power - highestPower;
  if (String(digits).length + zeros > mostDigits) return { special: 'Infinity', negative, digits: 0n, power: 0 };
  return { negative, digits: digits * 10n ** BigInt(zeros), power: highestPower };
}

function halfToEven(digits: bigint, unit: bigint): bigint {
  const quotient = digits / unit;
  const twice = (digits % unit) * 2n;
  const up = twice > unit || (twice === unit && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function textOf({ special, negative, digits, power }: Decimal): string {
  if (special === 'NaN') return 'NaN';
  return `${negative ? '-' : ''}${special ?? `${digits}E${power}`}`;
}

/** @throws Refusal 14 unless it is a number */
export function insistNumber(value: Value): void {
  if (!isNumber(value)) throw new Refusal(typeMismatch, 'the argument is no number');
}
