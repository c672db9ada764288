import { bsonType, documentValue, fieldsOf } from '../bson/value.js';
import type { Plan } from '../query/planner.js';
import type { Context } from './context.js';

/** How documents are found, as MongoDB's log says it: fields and directions of the index, no values. */
export function planSummary({ index }: Plan): string {
  if (index === undefined) return 'COLLSCAN';
  const fields = index.fields.map(({ path, descending }) => `${path.text}: ${descending ? -1 : 1}`);
  return `IXSCAN { ${fields.join(', ')} }`;
}

/** Logs a command that took long: what it was about and what it looked at, never a value. */
export function logSlow(context: Context, command: string, request: Buffer, tookMs: number): void {
  const { server, database, plans, examined, running, connectionId } = context;
  const fields = new Map(fieldsOf(documentValue(request)));
  const named = fields.get(command === 'getMore' ? 'collection' : command);
  const namespace = named?.type === bsonType.string ? `${database}.${named.text}` : database;
  server.log.warn('slow command', {
    command,
    namespace,
    planSummary: [...plans].join(', '),
    keysExamined: running.reduce((sum, { keys }) => sum + keys, examined.keys),
    docsExamined: running.reduce((sum, { documents }) => sum + documents, examined.documents),
    duration: Math.round(tookMs),
    connectionId,
  });
}
