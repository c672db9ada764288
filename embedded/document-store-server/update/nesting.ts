import { type BsonValue, bsonType, eachField } from '../bson/value.js';
import { CommandError, code } from '../errors.js';

/** Levels of fields that MongoDB stores at most. */
const mostLevels = 180;

/** Levels of fields inside a value: 0 for a scalar or an empty container. */
export function levelsIn(value: BsonValue): number {
  if (value.type !== bsonType.document && value.type !== bsonType.array) return 0;
  let most = 0;
  eachField(value, (_, field) => {
    most = Math.max(most, 1 + levelsIn(field));
    return false;
  });
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
