import { bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { writeDocument, writeFields } from '../bson/write.js';
import { CommandError } from '../errors.js';
import { typeOf } from '../expressions/expression.js';
import { collectBatches } from '../query/pipeline.js';
import { parseSort } from '../query/sort.js';
import { sortStage } from './flow.js';
import { parseGroup } from './group.js';
import type { StageParser } from './stage.js';

const count: StageParser = (spec) => {
  if (spec.type !== bsonType.string) throw new CommandError(40156, 'the count field must be a non-empty string');
  const name = spec.text;
  if (name === '') throw new CommandError(40157, 'the count field must be a non-empty string');
  if (name.startsWith('$')) throw new CommandError(40158, 'the count field cannot be a $-prefixed path');
  if (name.includes('\0')) throw new CommandError(40159, 'the count field cannot contain a null byte');
  if (name.includes('.')) throw new CommandError(40160, "the count field cannot contain '.'");
  return (source, turns) => {
    let total = 0;
    const counter = {
      add: () => void total++,
      result: () => (total === 0 ? [] : [writeFields([[name, total]])]),
    };
    return collectBatches(source, counter, turns);
  };
};

const byCount = parseSort(documentValue(writeDocument({ count: -1 })));

const sortByCount: StageParser = (spec, expressions) => {
  if (spec.type === bsonType.string) {
    if (!spec.text.startsWith('$')) {
      throw new CommandError(40148, 'the sortByCount field must be defined as a $-prefixed path or an expression');
    }
  } else if (spec.type !== bsonType.document) {
    throw new CommandError(40149, `the sortByCount field must be a string or an object, not ${typeOf(spec)}`);
  } else if (fieldsOf(spec)[0]?.[0].startsWith('$') !== true) {
    throw new CommandError(40147, 'the sortByCount field must be an expression inside an object');
  }
  const group = documentValue(writeDocument({ _id: spec, count: { $sum: 1 } }));
  const grouped = parseGroup(group, expressions, '$group');
  const sorted = sortStage(byCount, undefined);
  return (source, turns) => sorted(grouped(source, turns), turns);
};

export const countingStages: Record<string, StageParser> = { $count: count, $sortByCount: sortByCount };
