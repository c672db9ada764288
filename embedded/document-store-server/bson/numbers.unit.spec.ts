import { Decimal128, Double, deserialize, Int32, Long, serialize } from 'bson';
import { expect } from 'chai';
import {
  addExactly,
  addNumbers,
  compareWithDouble,
  multiplyExactly,
  multiplyNumbers,
  subtractNumbers,
  toInteger,
} from './numbers.js';
import { type BsonValue, documentValue, getField } from './value.js';
import { writeFields } from './write.js';

const name = Buffer.from('v');
const decimal = (text: string) => Decimal128.fromString(text);

function value(js: unknown): BsonValue {
  const found = getField(documentValue(Buffer.from(serialize({ v: js }))), name);
  if (found === undefined) throw new Error('no value');
  return found;
}

const plain = (result: BsonValue | undefined) =>
  result && deserialize(writeFields([['v', result]]), { promoteValues: false })['v'];

const operations = { '+': addNumbers, '-': subtractNumbers, '*': multiplyNumbers };

const cases: [unknown, '+' | '-' | '*', unknown, unknown][] = [
  [new Int32(2), '+', new Int32(3), new Int32(5)],
  [new Int32(2147483647), '+', new Int32(1), Long.fromString('2147483648')],
  [new Int32(-2147483648), '-', new Int32(1), Long.fromString('-2147483649')],
  [new Int32(2147483647), '*', new Int32(2147483647), Long.fromString('4611686014132420609')],
  [new Int32(0), '*', new Int32(-5), new Int32(0)],
  [new Int32(1), '+', Long.fromNumber(1), Long.fromNumber(2)],
  [Long.fromString('9007199254740993'), '+', new Int32(1), Long.fromString('9007199254740994')],
  [Long.MAX_VALUE, '+', new Int32(1), new Double(2 ** 63)],
  [Long.MIN_VALUE, '-', new Int32(1), new Double(-(2 ** 63))],
  [Long.MAX_VALUE, '*', new Int32(2), new Double(2 ** 64)],
  [new Int32(1), '+', new Double(0.5), new Double(1.5)],
  [Long.fromNumber(2), '*', new Double(2), new Double(4)],
  [new Int32(1), '+', decimal('0.10'), decimal('1.10')],
  [Long.MAX_VALUE, '+', decimal('1'), decimal('9223372036854775808')],
  [new Double(0.1), '+', decimal('0.2'), decimal('0.300000000000000')],
  [decimal('1'), '-', new Double(0.1), decimal('0.900000000000000')],
  [decimal('2'), '*', new Double(Number.NaN), decimal('NaN')],
];

describe('numbers of several types', () => {
  for (const [a, operation, b, result] of cases) {
    it(`${String(a)} ${operation} ${String(b)} is the ${(result as { _bsontype: string })._bsontype} ${String(result)}`, () => {
      expect(plain(operations[operation](value(a), value(b)))).to.deep.equal(result);
    });
  }

  it('have no exact sum or product beyond int64', () => {
    expect(addExactly(value(Long.MAX_VALUE), value(new Int32(1)))).to.equal(undefined);
    expect(multiplyExactly(value(Long.MIN_VALUE), value(new Int32(-1)))).to.equal(undefined);
    expect(plain(multiplyExactly(value(Long.MIN_VALUE), value(new Int32(1))))).to.deep.equal(Long.MIN_VALUE);
  });

  it('are whole exactly, a decimal above 2^53 included', () => {
    expect(toInteger(value(decimal('9007199254740993')))).to.equal(9007199254740993n);
    expect(toInteger(value(decimal('1.5')))).to.equal(undefined);
    expect(toInteger(value(new Double(3)))).to.equal(3n);
  });

  it('compare a decimal with a double digit by digit', () => {
    const tenth = { negative: false, coefficient: 1n, exponent: -1 };
    expect(compareWithDouble(tenth, 0.1)).to.equal(-1);
    expect(compareWithDouble({ ...tenth, coefficient: 5n }, 0.5)).to.equal(0);
    expect(compareWithDouble({ negative: true, coefficient: 1n, exponent: 400 }, -1e308)).to.equal(-1);
    expect(compareWithDouble(tenth, Number.POSITIVE_INFINITY)).to.equal(-1);
  });
});
