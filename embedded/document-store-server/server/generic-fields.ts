import { toDouble } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, getField } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { Arguments } from './arguments.js';

const longestLimit = 2 ** 31 - 1;
const readModes = new Set(['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest']);

/** Commands of the Stable API, version 1. */
const stable = new Set([
  'aggregate',
  'collMod',
  'count',
  'create',
  'createIndexes',
  'delete',
  'drop',
  'dropDatabase',
  'dropIndexes',
  'endSessions',
  'explain',
  'find',
  'findAndModify',
  'getMore',
  'hello',
  'insert',
  'killCursors',
  'listCollections',
  'listDatabases',
  'listIndexes',
  'ping',
  'refreshSessions',
  'update',
]);

/** An option that the Stable API leaves out, of those that this server has. */
function unstableOption(args: Arguments): string | undefined {
  const isSparse = () =>
    args.documents('indexes').some((index) => getField(documentValue(index), Buffer.from('sparse')));
  if (args.name === 'find' && args.flag('noCursorTimeout')) return "option 'noCursorTimeout'";
  if (args.name === 'aggregate' && args.flag('explain')) return "option 'explain'";
  return args.name === 'createIndexes' && isSparse() ? "option 'sparse'" : undefined;
}

const writing = new Set([
  'aggregate',
  'collMod',
  'create',
  'createIndexes',
  'delete',
  'drop',
  'dropDatabase',
  'dropIndexes',
  'findAndModify',
  'findandmodify',
  'insert',
  'renameCollection',
  'update',
]);

function checkReadConcern(value: BsonValue): void {
  const args = new Arguments('readConcern', value);
  const level = args.text('level') ?? 'local';
  args.allow('provenance');
  for (const field of ['afterClusterTime', 'atClusterTime']) {
    if (args.value(field) !== undefined) throw needsReplicaSet(`readConcern ${field}`);
  }
  args.finish();
  if (level === 'linearizable' || level === 'snapshot') throw needsReplicaSet(`readConcern level ${level}`);
  if (level !== 'local' && level !== 'available' && level !== 'majority') {
    throw new CommandError(
      code.badValue,
      `Enumeration value '${level}' for field 'readConcern.level' is not a valid value.`,
    );
  }
}

function needsReplicaSet(what: string): CommandError {
  return new CommandError(
    code.notAReplicaSet,
    `node needs to be a replica set member to use ${what}; supported: local, available, majority`,
  );
}

function checkWriteConcern(command: string, value: BsonValue): void {
  if (!writing.has(command)) {
    throw new CommandError(code.invalidOptions, 'Command does not support writeConcern');
  }
  const args = new Arguments('writeConcern', value);
  const w = args.value('w');
  // every answered write is on disk and there is nobody to wait for, so these are met as they are
  args.flag('j');
  args.flag('fsync');
  args.count('wtimeout', Number.NEGATIVE_INFINITY);
  args.allow('provenance');
  args.finish();
  if (w === undefined) return;
  if (w.isNumber) {
    const nodes = toDouble(w);
    if (!(nodes >= 0 && nodes <= 50)) {
      throw new CommandError(code.failedToParse, 'w has to be a non-negative number and not greater than 50');
    }
    if (nodes > 1) throw new CommandError(code.badValue, "cannot use 'w' > 1 when a host is not replicated");
  } else if (w.type !== bsonType.string) {
    throw new CommandError(code.failedToParse, "w has to be a number or a string: 0, 1 or 'majority'");
  } else if (w.text !== 'majority') {
    throw new CommandError(
      code.badValue,
      `cannot use non-majority 'w' mode ${toText(w)} when a host is not a member of a replica set`,
    );
  }
}

function checkApi(command: string, args: Arguments): void {
  const version = args.text('apiVersion');
  const isStrict = args.flag('apiStrict');
  const isPicky = args.value('apiDeprecationErrors') !== undefined;
  args.flag('apiDeprecationErrors');
  if (version === undefined) {
    if (!isStrict && args.value('apiStrict') === undefined && !isPicky) return;
    throw new CommandError(4886600, 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion');
  }
  if (version !== '1') throw new CommandError(code.apiVersion, 'API version must be "1"');
  if (!isStrict) return;
  const lacking = stable.has(command) ? unstableOption(args) : `command ${command}`;
  if (lacking === undefined) return;
  throw new CommandError(code.apiStrict, `Provided apiStrict:true, but the ${lacking} is not in API Version 1`);
}

/** There is one server, which every read preference means. */
function checkReadPreference(value: BsonValue): void {
  const mode = new Arguments('$readPreference', value).text('mode');
  if (mode !== undefined && readModes.has(mode)) return;
  throw new CommandError(code.failedToParse, `Could not parse $readPreference mode '${mode ?? ''}'`);
}

/** @returns the UUID of a session as BSON has it @throws CommandError 14 or 40414 for what is no session's id */
export function readSession(value: BsonValue): Buffer {
  if (value.type !== bsonType.document) throw new CommandError(code.typeMismatch, 'a session id must be an object');
  const args = new Arguments('lsid', value);
  const id = args.required('id', args.value('id'));
  const isUuid = id.type === bsonType.binary && id.end - id.start === 21 && id.buffer[id.start + 4] === 4;
  if (!isUuid) throw new CommandError(code.typeMismatch, "BSON field 'lsid.id' must be a UUID");
  args.allow('uid');
  args.finish();
  return id.bytes;
}

/** @returns milliseconds, 0 for no limit */
function timeLimit(value: BsonValue | undefined): number {
  if (value === undefined) return 0;
  if (!value.isNumber) throw new CommandError(code.badValue, 'maxTimeMS must be a number');
  const limit = toDouble(value);
  if (limit >= 0 && limit <= longestLimit && Number.isInteger(limit)) return limit;
  throw new CommandError(code.badValue, `${toText(value)} value for maxTimeMS is out of range or no whole number`);
}

function checkDatabase(name: string): string {
  const isValid = name !== '' && Buffer.byteLength(name) < 64 && !/[/\\. "$\0]/.test(name);
  if (isValid) return name;
  throw new CommandError(code.invalidNamespace, `Invalid database name: '${name}'`);
}

interface GenericFields {
  database: string;
  /** 0 for no limit */
  maxTimeMs: number;
  session: Buffer | undefined;
}

/**
 * Looks at the fields that any command may carry.
 *
 * @param database the namespace of an OP_QUERY; OP_MSG carries `$db`
 * @throws CommandError 20 for transactions, 123 and 2 for concerns that need a replica set, 322 and 323 for the API
 */
export function readGeneric(args: Arguments, database?: string): GenericFields {
  const command = args.name;
  for (const field of ['txnNumber', 'autocommit', 'startTransaction']) {
    if (args.value(field) === undefined) continue;
    throw new CommandError(
      code.illegalOperation,
      'Transaction numbers are only allowed on a replica set member or mongos',
    );
  }
  const db = database ?? args.text('$db');
  if (db === undefined) throw new CommandError(40571, 'OP_MSG requests require a $db argument');
  const given = (field: string, check: (value: BsonValue) => void) => {
    const value = args.document(field);
    if (value !== undefined) check(value);
  };
  given('readConcern', checkReadConcern);
  given('writeConcern', (value) => checkWriteConcern(command, value));
  given('$readPreference', checkReadPreference);
  let session: Buffer | undefined;
  given('lsid', (value) => {
    session = readSession(value);
  });
  checkApi(command, args);
  return { database: checkDatabase(db), maxTimeMs: timeLimit(args.value('maxTimeMS')), session };
}
