import { BsonValue, bsonType, valueEnd } from '../bson/value.js';
import { CommandError, code } from '../errors.js';

/** Levels of fields that MongoDB stores at most. */
const mostLevels = 180;

/**
 * Levels of fields inside a value: 0 for a scalar.
 *
 * @param ofEmpty what an empty container counts
 */
export function levelsIn(value: BsonValue, ofEmpty = 0): number {
  if (value.type !== bsonType.document && value.type !== bsonType.array) return 0;
  const { buffer, start, end } = value;
  let most = end - start === 5 ? ofEmpty : 1;
  for (let at = start + 4; at < end - 1; ) {
    const type = buffer[at] ?? 0;
    const from = buffer.indexOf(0, at + 1) + 1;
    at = valueEnd(type, buffer, from);
    if (type === bsonType.document || type === bsonType.array) {
      most = Math.max(most, 1 + levelsIn(new BsonValue(type, buffer, from, at), ofEmpty));
    }
  }
  return most;
}

/** The most levels inside any of these. */
export function mostLevelsIn(values: BsonValue[]): number {
  return values.reduce((most, value) => Math.max(most, levelsIn(value)), 0);
}

/** @throws CommandError 15 Overflow beyond 180 levels */
export function checkLevels(levels: number): void {
  if (levels > mostLevels) {
    throw new CommandError(code.overflow, `Document exceeds maximum nesting depth of ${mostLevels}`);
  }
}
