import {
  addDecimals,
  type Decimal,
  decimalInfinity,
  decimalNaN,
  decimalOfInteger,
  divideDecimals,
  exactDouble,
  multiplyDecimals,
  readDecimal,
  writeDecimal,
} from '../bson/decimal.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { doubleValue, fitsInt32, fitsInt64, int32Value, int64Value } from './values.js';

const one = decimalOfInteger(1n);

/** A double with 34 digits, as sums convert one. */
function exactDecimal(value: number): Decimal {
  if (Number.isNaN(value)) return decimalNaN;
  if (!Number.isFinite(value)) return decimalInfinity(value < 0);
  return multiplyDecimals({ form: 'finite', ...exactDouble(value) }, one);
}

/**
 * A sum of numbers of any types: integers and decimals exactly, doubles with their rounding errors carried along, so
 * that the order of the terms does not show.
 */
export class Sum {
  private whole = 0;
  private large = 0n;
  private high = 0;
  private low = 0;
  /** without compensation: what infinities and NaN come to */
  private plain = 0;
  private decimals: Decimal | undefined;
  private widest: 'int32' | 'int64' | 'double' = 'int32';

  add(value: BsonValue): void {
    switch (value.type) {
      case bsonType.int32:
        this.addWhole(value.buffer.readInt32LE(value.start));
        return;
      case bsonType.int64:
        if (this.widest === 'int32') this.widest = 'int64';
        this.large += value.buffer.readBigInt64LE(value.start);
        return;
      case bsonType.double:
        this.widest = 'double';
        this.addDouble(value.buffer.readDoubleLE(value.start));
        return;
      case bsonType.decimal: {
        const decimal = readDecimal(value);
        this.decimals = this.decimals === undefined ? decimal : addDecimals(this.decimals, decimal);
      }
    }
  }

  private addWhole(value: number): void {
    this.whole += value;
    if (Number.isSafeInteger(this.whole)) return;
    this.large += BigInt(this.whole - value) + BigInt(value);
    this.whole = 0;
  }

  private addDouble(value: number): void {
    this.plain += value;
    const sum = this.high + value;
    const part = sum - this.high;
    this.low += this.high - (sum - part) + (value - part);
    this.high = sum;
  }

  private integers(): bigint {
    return this.large + BigInt(this.whole);
  }

  private real(): number {
    const integers = this.integers();
    const nearest = Number(integers);
    const rest = new Sum();
    Object.assign(rest, { high: this.high, low: this.low, plain: this.plain });
    rest.addDouble(nearest);
    rest.addDouble(Number(integers - BigInt(nearest)));
    const sum = rest.high + rest.low;
    return Number.isFinite(sum) ? sum : rest.plain;
  }

  private decimal(decimals: Decimal): Decimal {
    const doubles = Number.isFinite(this.high)
      ? addDecimals(exactDecimal(this.high), exactDecimal(this.low))
      : exactDecimal(this.plain);
    const others =
      this.widest === 'double'
        ? addDecimals(doubles, decimalOfInteger(this.integers()))
        : decimalOfInteger(this.integers());
    return addDecimals(decimals, others);
  }

  /** In the widest of the types added; int32 that overflows as int64, int64 as a double. Nothing added is the int32 0. */
  total(): BsonValue {
    if (this.decimals !== undefined) return writeDecimal(this.decimal(this.decimals));
    if (this.widest === 'double') return doubleValue(this.real());
    const integers = this.integers();
    if (!fitsInt64(integers)) return doubleValue(Number(integers));
    return this.widest === 'int32' && fitsInt32(integers) ? int32Value(Number(integers)) : int64Value(integers);
  }

  /** The total over `count` terms: a double, or a decimal when one was added. */
  average(count: number): BsonValue {
    if (this.decimals === undefined) return doubleValue(this.real() / count);
    return writeDecimal(divideDecimals(this.decimal(this.decimals), decimalOfInteger(BigInt(count))));
  }
}
