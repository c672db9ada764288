import { Decimal128, Double, Int32, Long, Timestamp } from 'bson';
import { expect } from 'chai';
import { applyTo, bytes, itRefuses, itUpdates } from './update-cases.js';

const decimal = (text: string) => Decimal128.fromString(text);
const long = (value: number | string) => Long.fromString(String(value));
const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) });

describe('$set', () => {
  itUpdates([
    ['$set replaces a value, its type included', { $set: { a: 'x' } }, { a: 1, b: 2 }, { a: 'x', b: 2 }],
    ['$set adds a field at the end', { $set: { z: 1 } }, { a: 1 }, { a: 1, z: 1 }],
    ['$set makes the documents of a dotted path', { $set: { 'b.c.d': 1 } }, { a: 1 }, { a: 1, b: { c: { d: 1 } } }],
    ['$set goes into an embedded document', { $set: { 'b.c': 1 } }, { b: { a: 0, z: 9 } }, { b: { a: 0, z: 9, c: 1 } }],
    ['$set replaces a whole document by another', { $set: { a: { y: 1 } } }, { a: { x: 1 } }, { a: { y: 1 } }],
    ['$set replaces an item of an array', { $set: { 'a.1': 'x' } }, { a: [1, 2, 3] }, { a: [1, 'x', 3] }],
    ['$set into a document within an array', { $set: { 'a.1.b': 2 } }, { a: [0, { b: 1 }] }, { a: [0, { b: 2 }] }],
    [
      '$set behind the end of an array pads it with null',
      { $set: { 'a.3': 1 } },
      { a: [0] },
      { a: [0, null, null, 1] },
    ],
    ['$set of a path behind the end pads too', { $set: { 'a.2.b': 1 } }, { a: [0] }, { a: [0, null, { b: 1 }] }],
    ['$set takes numbers as names where there is no array', { $set: { 'a.0': 1 } }, {}, { a: { '0': 1 } }],
    ['$set takes numbers as names in a document', { $set: { 'a.0': 1 } }, { a: {} }, { a: { '0': 1 } }],
    ['$set of the same value changes nothing', { $set: { a: { b: [1] } } }, { a: { b: [1] } }, undefined],
    [
      '$set of the same number in another type changes it',
      { $set: { a: new Double(1) } },
      { a: 1 },
      { a: new Double(1) },
    ],
    ['$set of the same _id changes nothing', { $set: { _id: 1 } }, {}, undefined],
    ['$set of names with $ below the top', { $set: { 'a.$b': 1, c: { $d: 1 } } }, {}, { a: { $b: 1 }, c: { $d: 1 } }],
    ['$set with no field is accepted and changes nothing', { $set: {} }, { a: 1 }, undefined],
    ['$set of null is a value', { $set: { a: null } }, { a: 1 }, { a: null }],
    [
      '$set down to the 180th level',
      { $set: { [Array(180).fill('x').join('.')]: 1 } },
      {},
      JSON.parse(`${'{"x":'.repeat(180)}1${'}'.repeat(180)}`),
    ],
  ]);
  itRefuses([
    ['$set through a number', 28, { $set: { 'a.b': 1 } }, { a: 1 }],
    ['$set through a string', 28, { $set: { 'a.b.c': 1 } }, { a: { b: 'x' } }],
    ['$set through null', 28, { $set: { 'a.b': 1 } }, { a: null }],
    ['$set by a name into an array', 28, { $set: { 'a.b': 1 } }, { a: [] }],
    ['$set of another _id', 66, { $set: { _id: 2 } }, {}],
    ['$set of _id in another type', 66, { $set: { _id: new Double(1) } }, {}],
    ['$set within _id', 28, { $set: { '_id.a': 1 } }, {}],
    ['$set of a new $ name at the top', 52, { $set: { $a: 1 } }, {}],
    ['$set of a $ name that is there', 52, { $set: { $a: 1 } }, { $a: 0 }],
    ['$set of $id without $ref', 55, { $set: { $id: 1 } }, {}],
    ['$set of an empty name', 56, { $set: { 'a..b': 1 } }, {}],
    ['$set of an empty path', 56, { $set: { '': 1 } }, {}],
    ['$set far behind the end of an array', 34, { $set: { 'a.1500002': 1 } }, { a: [] }],
    ['$set to the 181st level', 15, { $set: { [Array(181).fill('x').join('.')]: 1 } }, {}],
    ['$set of a document that reaches the 181st level', 15, { $set: { 'a.b': deep(179) } }, {}],
    ['$set with a number as operand', 9, { $set: 1 }, {}],
  ]);
});

describe('$unset', () => {
  itUpdates([
    [
      '$unset removes a field, whatever its operand',
      { $unset: { a: 1, b: false, 'c.d': '' } },
      { a: 1, b: 2, c: { d: 1 } },
      { c: {} },
    ],
    [
      '$unset of a null in an array changes nothing',
      { $unset: { 'a.0': '', 'b.$[]': '' } },
      { a: [null], b: [null] },
      undefined,
    ],
    ['$unset leaves null in an array', { $unset: { 'a.0': '' } }, { a: [1, 2] }, { a: [null, 2] }],
    [
      '$unset of what is missing does nothing',
      { $unset: { x: '', 'a.b': '', 'c.d': '', 'd.9': '', 'd.q': '' } },
      { a: 1, c: {}, d: [1] },
      undefined,
    ],
  ]);
  itRefuses([['$unset of _id', 66, { $unset: { _id: '' } }, {}]]);
});

describe('$setOnInsert', () => {
  itUpdates([
    ['$setOnInsert does nothing to what exists', { $setOnInsert: { a: 2, b: 1 } }, { a: 1 }, undefined],
    ['$setOnInsert through a scalar is no error there', { $setOnInsert: { 'a.b': 1 } }, { a: 1 }, undefined],
  ]);
});

describe('$inc', () => {
  itUpdates([
    ['$inc adds', { $inc: { a: 2, 'b.c': -3 } }, { a: 1, b: { c: 1 } }, { a: 3, b: { c: -2 } }],
    ['$inc sets what is missing', { $inc: { a: long(5), 'b.c': 1 } }, {}, { a: long(5), b: { c: 1 } }],
    ['$inc widens int32 to int64', { $inc: { a: 1 } }, { a: 2147483647 }, { a: long(2147483648) }],
    ['$inc of int64 stays int64', { $inc: { a: 1 } }, { a: long(1) }, { a: long(2) }],
    ['$inc is exact in int64', { $inc: { a: 1 } }, { a: long('9007199254740993') }, { a: long('9007199254740994') }],
    [
      '$inc with a double gives a double',
      { $inc: { a: 0.5, b: new Double(1) } },
      { a: 1, b: 1 },
      { a: 1.5, b: new Double(2) },
    ],
    ['$inc with a decimal gives a decimal', { $inc: { a: decimal('0.10') } }, { a: 1 }, { a: decimal('1.10') }],
    [
      '$inc of a decimal by a double takes 15 digits of it',
      { $inc: { a: 0.1 } },
      { a: decimal('1') },
      { a: decimal('1.100000000000000') },
    ],
    ['$inc by nothing changes nothing', { $inc: { a: 0 } }, { a: 1.5 }, undefined],
    ['$inc of an item of an array', { $inc: { 'a.0': 1 } }, { a: [1] }, { a: [2] }],
  ]);
  itRefuses([
    ['$inc of a string', 14, { $inc: { a: 1 } }, { a: 'x' }],
    ['$inc of null', 14, { $inc: { a: 1 } }, { a: null }],
    ['$inc by a string', 14, { $inc: { a: 'x' } }, { a: 1 }],
    ['$inc beyond int64', 2, { $inc: { a: 1 } }, { a: Long.MAX_VALUE }],
    ['$inc of _id', 66, { $inc: { _id: 1 } }, {}],
  ]);
});

describe('$mul', () => {
  itUpdates([
    ['$mul multiplies', { $mul: { a: 3, b: 0.5 } }, { a: 2, b: 3 }, { a: 6, b: 1.5 }],
    [
      '$mul makes a zero of the operand type',
      { $mul: { a: 3, b: long(3), c: new Double(2), d: decimal('1.5') } },
      {},
      { a: 0, b: long(0), c: new Double(0), d: decimal('0.0') },
    ],
    ['$mul widens int32 to int64', { $mul: { a: 2147483647 } }, { a: 2147483647 }, { a: long('4611686014132420609') }],
    ['$mul by a decimal', { $mul: { a: decimal('1.1') } }, { a: 2 }, { a: decimal('2.2') }],
    ['$mul by one changes nothing', { $mul: { a: 1 } }, { a: 2 }, undefined],
  ]);
  itRefuses([
    ['$mul of a string', 14, { $mul: { a: 1 } }, { a: 'x' }],
    ['$mul by a string', 14, { $mul: { a: 'x' } }, {}],
    ['$mul beyond int64', 2, { $mul: { a: 2 } }, { a: Long.MAX_VALUE }],
  ]);
});

describe('$min and $max', () => {
  itUpdates([
    ['$min takes the less', { $min: { a: 5, b: 5 } }, { a: 9, b: 1 }, { a: 5, b: 1 }],
    ['$max takes the greater', { $max: { a: 5, b: 5 } }, { a: 9, b: 1 }, { a: 9, b: 5 }],
    ['$min sets what is missing', { $min: { a: 5 } }, {}, { a: 5 }],
    ['$max sets what is missing', { $max: { a: 5 } }, {}, { a: 5 }],
    ['$min compares types in their order', { $min: { a: 5, b: null } }, { a: 'x', b: 1 }, { a: 5, b: null }],
    [
      '$max compares types in their order',
      { $max: { a: new Date(0), b: 'x' } },
      { a: true, b: 5 },
      { a: new Date(0), b: 'x' },
    ],
    ['$min of an equal number in another type changes nothing', { $min: { a: new Double(1) } }, { a: 1 }, undefined],
    [
      '$max compares numbers exactly',
      { $max: { a: long('9007199254740993') } },
      { a: new Double(9007199254740992) },
      { a: long('9007199254740993') },
    ],
  ]);
  itRefuses([
    ['$min through a scalar', 28, { $min: { 'a.b': 1 } }, { a: 1 }],
    ['$max through a scalar', 28, { $max: { 'a.b': 1 } }, { a: 1 }],
  ]);
});

describe('$bit', () => {
  itUpdates([
    ['$bit and', { $bit: { a: { and: 10 } } }, { a: 13 }, { a: 8 }],
    ['$bit or', { $bit: { a: { or: 5 } } }, { a: 3 }, { a: 7 }],
    ['$bit xor', { $bit: { a: { xor: 5 } } }, { a: 1 }, { a: 4 }],
    ['$bit with several operations in their order', { $bit: { a: { or: 12, and: 10 } } }, { a: 1 }, { a: 8 }],
    [
      '$bit with int64 gives int64',
      { $bit: { a: { or: long(1) }, b: { and: 3 } } },
      { a: 2, b: long(6) },
      { a: long(3), b: long(2) },
    ],
    ['$bit of what is missing begins with 0', { $bit: { a: { or: 5 }, b: { and: 5 } } }, {}, { a: 5, b: 0 }],
    ['$bit on negative numbers', { $bit: { a: { xor: -1 } } }, { a: 0 }, { a: -1 }],
    ['$bit that changes no bit changes nothing', { $bit: { a: { or: 1 } } }, { a: 1 }, undefined],
  ]);
  itRefuses([
    ['$bit of a double', 2, { $bit: { a: { or: 1 } } }, { a: new Double(1) }],
    ['$bit of a string', 2, { $bit: { a: { or: 1 } } }, { a: 'x' }],
    ['$bit with a double', 2, { $bit: { a: { or: new Double(1) } } }, { a: 1 }],
    ['$bit with an unknown operation', 2, { $bit: { a: { not: 1 } } }, { a: 1 }],
    ['$bit with no operation', 2, { $bit: { a: {} } }, { a: 1 }],
    ['$bit with a number', 2, { $bit: { a: 1 } }, { a: 1 }],
  ]);
});

describe('$currentDate', () => {
  const at = 1_700_000_000_123;
  const date = new Date(at);
  itUpdates([
    [
      '$currentDate with true sets a date',
      { $currentDate: { a: true, 'b.c': true } },
      { a: 1 },
      { a: date, b: { c: date } },
      { at },
    ],
    ['$currentDate with $type date', { $currentDate: { a: { $type: 'date' } } }, {}, { a: date }, { at }],
    [
      '$currentDate with $type timestamp',
      { $currentDate: { a: { $type: 'timestamp' } } },
      {},
      { a: new Timestamp({ t: 1_700_000_000, i: 1 }) },
      { at },
    ],
  ]);
  itRefuses([
    ['$currentDate with another type', 2, { $currentDate: { a: { $type: 'time' } } }, {}],
    ['$currentDate with another option', 2, { $currentDate: { a: { $kind: 'date' } } }, {}],
    ['$currentDate with a number', 2, { $currentDate: { a: 1 } }, {}],
  ]);
  it('$currentDate gives every timestamp of one second its own count', () => {
    const after = applyTo(
      { $currentDate: { a: { $type: 'timestamp' }, b: { $type: 'timestamp' } } },
      bytes({ _id: 1 }),
      { at },
    );
    const wanted = bytes({
      _id: 1,
      a: new Timestamp({ t: 1_700_000_000, i: 1 }),
      b: new Timestamp({ t: 1_700_000_000, i: 2 }),
    });
    expect(after.equals(wanted)).to.equal(true);
  });
});

describe('an update of bytes', () => {
  it('leaves alone what it does not touch', () => {
    const before = bytes({ _id: 1, d: new Double(1), i: new Int32(1), l: long(1), o: { b: 1, 1: 2 } });
    const after = applyTo({ $set: { x: 1 } }, before);
    expect(applyTo({ $unset: { x: '' } }, after).equals(before)).to.equal(true);
  });
});
