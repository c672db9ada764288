import { type Document, MongoBulkWriteError, type MongoClient, MongoServerError } from 'mongodb';
import { Entities } from './entities.js';
import { Mismatch, match, Skipped } from './matching.js';
import { bulkResult, operate } from './operations.js';
import {
  type CollectionData,
  type ExpectedError,
  type ExpectedEvents,
  type OperationCall,
  type Test,
  type TestFile,
  unmet,
} from './test-file.js';

export type Verdict = 'passed' | 'failed' | 'refused' | 'skipped';

export interface Outcome {
  file: string;
  test: string;
  verdict: Verdict;
  /** why it is not passed */
  reason: string;
}

/** The server under test. */
export interface Target {
  url: string;
  version: string;
  /** a client that no test changes */
  client: MongoClient;
}

const refusals = new Set([2, 9, 20, 40, 67, 72, 73, 115, 168, 31249]);

/** Whether the server said clearly that it does not have what was asked for. */
function isRefusal(err: unknown): boolean {
  if (!(err instanceof MongoServerError)) return false;
  const { code } = err;
  return code === 59 || code === 40324 || (refusals.has(Number(code)) && /support/i.test(err.message));
}

async function fill({ client }: Target, { databaseName, collectionName, createOptions, documents }: CollectionData) {
  const db = client.db(databaseName);
  await db.collection(collectionName).drop();
  await db.createCollection(collectionName, createOptions ?? {});
  if (documents.length > 0) await db.collection(collectionName).insertMany(documents);
}

function checkError(err: unknown, expected: ExpectedError, entities: Entities): void {
  if (!(err instanceof Error)) throw new Mismatch('an error was expected');
  const { isClientError, errorContains, errorCode, errorCodeName, errorResponse, expectResult } = expected;
  const answer = err as Error & Document;
  const wrong = (what: string) =>
    new Mismatch(`${what}, got ${err.name} ${String(answer['code'])}: ${err.message}`, { cause: err });
  if (isClientError !== undefined && isClientError === err instanceof MongoServerError) {
    throw wrong(`expected ${isClientError ? "the driver's" : "the server's"} error`);
  }
  if (errorContains !== undefined && !err.message.toLowerCase().includes(errorContains.toLowerCase())) {
    throw wrong(`expected an error with '${errorContains}'`);
  }
  if (errorCode !== undefined && Number(answer['code']) !== Number(errorCode))
    throw wrong(`expected code ${errorCode}`);
  if (errorCodeName !== undefined && answer['codeName'] !== errorCodeName) throw wrong(`expected ${errorCodeName}`);
  for (const [labels, has] of [
    [expected.errorLabelsContain, true],
    [expected.errorLabelsOmit, false],
  ] as const) {
    for (const label of labels ?? []) {
      if ((err as MongoServerError).hasErrorLabel?.(label) !== has) throw wrong(`label ${label} should be ${has}`);
    }
  }
  if (errorResponse !== undefined) match(errorResponse, answer['errorResponse'], entities.lookup, 'error', true);
  if (expectResult !== undefined) {
    const result = err instanceof MongoBulkWriteError ? bulkResult(err.result) : answer['result'];
    match(expectResult, result, entities.lookup, 'result', true);
  }
}

/** Arguments as the driver takes them: sessions for their names, its spelling of `returnDocument`. */
function argumentsOf({ arguments: given = {} }: OperationCall, entities: Entities): Document {
  const { session, returnDocument, ...rest } = given;
  return {
    ...rest,
    ...(session === undefined ? {} : { session: entities.lookup(String(session)) }),
    ...(returnDocument === undefined ? {} : { returnDocument: String(returnDocument).toLowerCase() }),
  };
}

async function testOperation({ client }: Target, { name, arguments: given = {} }: OperationCall, entities: Entities) {
  const { databaseName, collectionName, indexName } = given;
  const lsids = () =>
    (entities.events.get(String(given['client'])) ?? [])
      .flatMap(({ event }) => ('command' in event ? [JSON.stringify(event.command['lsid'])] : []))
      .slice(-2);
  const exists = async () =>
    (await client.db(databaseName).listCollections({ name: collectionName }).toArray()).length > 0;
  const hasIndex = async () => client.db(databaseName).collection(collectionName).indexExists(indexName);
  const claims: Record<string, () => boolean | Promise<boolean>> = {
    assertCollectionExists: exists,
    assertCollectionNotExists: async () => !(await exists()),
    assertIndexExists: hasIndex,
    assertIndexNotExists: async () => !(await exists()) || !(await hasIndex()),
    assertSameLsidOnLastTwoCommands: () => lsids()[0] === lsids()[1],
    assertDifferentLsidOnLastTwoCommands: () => lsids()[0] !== lsids()[1],
  };
  if (name === 'createEntities') {
    for (const entity of given['entities']) await entities.create(entity as Document);
    return;
  }
  const claim = claims[name];
  if (claim === undefined) throw new Skipped(`this runner has no operation ${name}`);
  if (!(await claim())) throw new Mismatch(`${name} does not hold`);
}

async function runOperation(target: Target, operation: OperationCall, entities: Entities): Promise<void> {
  if (operation.object === 'testRunner') return testOperation(target, operation, entities);
  const on = entities.lookup(operation.object);
  let result: unknown;
  try {
    result = await operate(on, operation.name, argumentsOf(operation, entities));
  } catch (err) {
    if (err instanceof Skipped) throw err;
    if (operation.ignoreResultAndError === true) return;
    if (operation.expectError === undefined) throw err;
    checkError(err, operation.expectError, entities);
    return;
  }
  if (operation.ignoreResultAndError === true) return;
  if (operation.expectError !== undefined) throw new Mismatch(`${operation.name} should have failed`);
  if (operation.expectResult !== undefined)
    match(operation.expectResult, result, entities.lookup, operation.name, true);
  if (operation.saveResultAsEntity !== undefined) entities.save(operation.saveResultAsEntity, result);
}

function checkEvents(expected: ExpectedEvents, entities: Entities): void {
  if ((expected.eventType ?? 'command') !== 'command')
    throw new Skipped(`this runner has no ${expected.eventType} events`);
  const seen = entities.events.get(expected.client) ?? [];
  const names = seen.map(({ event, name }) => `${name.replace(/^command|Event$/g, '')} ${event.commandName}`);
  if (seen.length < expected.events.length || (seen.length > expected.events.length && !expected.ignoreExtraEvents)) {
    throw new Mismatch(`expected ${expected.events.length} events, got ${seen.length}: ${names.join(', ')}`);
  }
  expected.events.forEach((wanted, at) => {
    const [name = '', fields = {}] = (Object.entries(wanted)[0] ?? []) as [string, Document];
    const one = seen[at];
    const path = `event ${at} ${name}`;
    if (one?.name !== name) throw new Mismatch(`${path}: got ${names[at]}`);
    const { hasServerConnectionId, hasServiceId, ...rest } = fields;
    for (const [field, value] of Object.entries(rest)) {
      match(value, (one.event as Document)[field], entities.lookup, `${path}.${field}`, true);
    }
    if (hasServiceId === true) throw new Mismatch(`${path}: there is no service id`);
    const connection: unknown = (one.event as Document)['serverConnectionId'];
    if (
      hasServerConnectionId !== undefined &&
      (connection !== null && connection !== undefined) !== hasServerConnectionId
    ) {
      throw new Mismatch(`${path}: the server's connection id is ${String(connection)}`);
    }
  });
}

async function runTest(target: Target, file: TestFile, test: Test): Promise<void> {
  const hindrance = unmet(file.runOnRequirements, target.version) ?? unmet(test.runOnRequirements, target.version);
  if (hindrance !== undefined || test.skipReason !== undefined) throw new Skipped(hindrance ?? test.skipReason);
  const entities = new Entities(target.url);
  try {
    for (const data of file.initialData ?? []) await fill(target, data);
    for (const entity of file.createEntities ?? []) await entities.create(entity);
    for (const operation of test.operations) await runOperation(target, operation, entities);
    for (const expected of test.expectEvents ?? []) checkEvents(expected, entities);
    for (const { databaseName, collectionName, documents } of test.outcome ?? []) {
      const found = await target.client.db(databaseName).collection(collectionName).find().sort({ _id: 1 }).toArray();
      match(documents, found, entities.lookup, 'outcome');
    }
  } finally {
    await entities.close();
  }
}

/** Runs the tests of one file one after the other. */
export async function runFile(target: Target, name: string, file: TestFile): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const test of file.tests) {
    const outcome: Outcome = { file: name, test: test.description, verdict: 'passed', reason: '' };
    try {
      await runTest(target, file, test);
    } catch (err) {
      const cause = err instanceof Mismatch ? err.cause : err;
      outcome.verdict = err instanceof Skipped ? 'skipped' : isRefusal(cause) ? 'refused' : 'failed';
      const code = err instanceof MongoServerError ? ` ${String(err.code)}` : '';
      outcome.reason = err instanceof Error ? `${err.name}${code}: ${err.message}` : String(err);
    }
    outcomes.push(outcome);
  }
  return outcomes;
}
