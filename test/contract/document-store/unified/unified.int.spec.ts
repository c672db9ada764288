import { EJSON } from 'bson';
import { expect } from 'chai';
import { describeTargets } from '../document-store-targets.js';
import { type Outcome, runFile } from './run-test.js';
import type { OperationCall, Test, TestFile } from './test-file.js';

const documents = [
  { _id: 1, n: { $numberLong: '5' } },
  { _id: 2, tags: ['a'] },
];
const find: OperationCall = { name: 'find', object: 'items', arguments: { filter: {}, sort: { _id: 1 } } };

describeTargets('the runner of unified tests', (target) => {
  let items: { databaseName: string; collectionName: string };
  let createEntities: object[];
  before(() => {
    const { databaseName } = target().database('unified');
    items = { databaseName, collectionName: 'items' };
    const observeEvents = ['commandStartedEvent', 'commandSucceededEvent', 'commandFailedEvent'];
    createEntities = [
      { client: { id: 'client', observeEvents } },
      { database: { id: 'database', client: 'client', databaseName } },
      { collection: { id: 'items', database: 'database', collectionName: 'items' } },
      { session: { id: 'session', client: 'client' } },
    ];
  });

  async function run(test: Omit<Test, 'description'>, more: Partial<TestFile> = {}): Promise<Outcome> {
    const file = EJSON.parse(
      EJSON.stringify({
        description: 'hand-written',
        schemaVersion: '1.0',
        createEntities,
        initialData: [{ ...items, documents }],
        tests: [{ description: 'one', ...test }],
        ...more,
      }),
    ) as TestFile;
    const at = { url: target().connectionString, version: '7.0.0', client: target().client };
    const [outcome] = await runFile(at, 'hand-written.json', file);
    if (outcome === undefined) throw new Error('there was no test');
    return outcome;
  }
  const verdict = async (...operations: OperationCall[]) => (await run({ operations })).verdict;

  it('compares results by value, with special operators', async () => {
    expect(await verdict({ ...find, expectResult: documents })).to.equal('passed');
    const first = (n: unknown, more = {}) => [{ _id: { $$type: ['int', 'long'] }, n, ...more }, { $$matchAsRoot: {} }];
    expect(await verdict({ ...find, expectResult: first({ $$exists: true }) })).to.equal('passed');
    expect(await verdict({ ...find, expectResult: first({ $$unsetOrMatches: 5 }) })).to.equal('passed');
    expect(await verdict({ ...find, expectResult: first({ $$unsetOrMatches: 6 }) })).to.equal('failed');
    expect(await verdict({ ...find, expectResult: first({ $$exists: false }) })).to.equal('failed');
    expect(await verdict({ ...find, expectResult: first(5, { absent: 1 }) })).to.equal('failed');
    expect(await verdict({ ...find, expectResult: documents.slice(1) })).to.equal('failed');
  });

  it('asks for the error that a test names', async () => {
    const again: OperationCall = { name: 'insertOne', object: 'items', arguments: { document: { _id: 1 } } };
    const named = { isClientError: false, errorCode: 11000, errorContains: 'e11000' };
    expect(await verdict({ ...again, expectError: named })).to.equal('passed');
    expect(await verdict({ ...again, expectError: { errorCode: 1 } })).to.equal('failed');
    expect(await verdict({ ...again, expectError: { isClientError: true } })).to.equal('failed');
    expect(await verdict({ ...find, expectError: { isError: true } })).to.equal('failed');
    expect(await verdict(again)).to.equal('failed');
    expect(await verdict({ ...again, ignoreResultAndError: true })).to.equal('passed');
  });

  it('compares what a collection holds afterwards', async () => {
    const operations = [{ name: 'deleteOne', object: 'items', arguments: { filter: { _id: 1 } } }];
    expect((await run({ operations, outcome: [{ ...items, documents: documents.slice(1) }] })).verdict).to.equal(
      'passed',
    );
    expect((await run({ operations, outcome: [{ ...items, documents }] })).verdict).to.equal('failed');
  });

  it('compares the commands that went over the wire, sessions included', async () => {
    const operations = [{ ...find, arguments: { filter: {}, session: 'session' } }];
    const started = { commandStartedEvent: { command: { find: 'items', lsid: { $$sessionLsid: 'session' } } } };
    const succeeded = { commandSucceededEvent: { commandName: 'find', reply: { cursor: { id: { $$type: 'long' } } } } };
    const asked = async (...events: object[]) =>
      (await run({ operations, expectEvents: [{ client: 'client', events }] })).verdict;
    expect(await asked(started, { commandSucceededEvent: { commandName: 'find' } })).to.equal('passed');
    expect(await asked(started, succeeded)).to.equal('failed');
    expect(await asked(started)).to.equal('failed');
    expect(await asked({ commandStartedEvent: { command: { find: 'others' } } }, succeeded)).to.equal('failed');
  });

  it('leaves out what the file or the runner itself says is not for it', async () => {
    const operations = [find];
    expect((await run({ operations, runOnRequirements: [{ maxServerVersion: '4.4.99' }] })).verdict).to.equal(
      'skipped',
    );
    expect((await run({ operations }, { runOnRequirements: [{ topologies: ['sharded'] }] })).verdict).to.equal(
      'skipped',
    );
    const fits = [{ minServerVersion: '8.0' }, { minServerVersion: '3.6', topologies: ['single'] }];
    expect((await run({ operations, runOnRequirements: fits })).verdict).to.equal('passed');
    expect(await verdict({ name: 'failPoint', object: 'testRunner' })).to.equal('skipped');
    expect(await verdict({ name: 'unheardOf', object: 'items' })).to.equal('skipped');
  });

  it('tells a clear refusal from a wrong answer', async () => {
    expect(
      await verdict({ name: 'runCommand', object: 'database', arguments: { command: { noSuchCommand: 1 } } }),
    ).to.equal('refused');
  });
});
