import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { BSON, type Document } from 'mongodb';
import { isGroupTitled, isTitled, projectFolder } from '../../test/support/titled-tests.js';
import { accumulatorNames } from './aggregation/group-accumulators.js';
import { stageNames } from './aggregation/pipeline.js';
import { operators } from './expressions/operators.js';
import { findOperators } from './projection/find-operators.js';
import { filterOperators } from './query/filter.js';
import { commandNames } from './server/dispatch.js';
import { sourceStageNames } from './server/source-stages.js';
import { type Failure, startTestServer, type TestServer } from './test-server.js';
import { updateOperators } from './update/modifiers.js';
import { pushClauses } from './update/push.js';

const root = projectFolder();
const here = join(root, 'embedded/document-store-server');
const readme = readFileSync(join(here, 'README.md'), 'utf8');

/** The cells below a table's head, which is known by its first cells. */
function rowsBelow(...head: string[]): string[][] {
  const lines = readme.split('\n');
  const cells = (line: string) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
  const at = lines.findIndex((line) => head.every((cell, i) => cells(line)[i] === cell));
  if (at < 0) throw new Error(`There is no table of: ${head.join(', ')}`);
  const rest = lines.slice(at + 2);
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('|')),
    )
    .map(cells);
}

const codesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

/** What the sources know, by the head of the table that tells of it. */
const tables: Record<string, readonly string[]> = {
  command: commandNames,
  'filter operator': filterOperators,
  'update operator': updateOperators,
  'clause of `$push`': [...pushClauses],
  projection: findOperators,
  stage: [...stageNames, ...sourceStageNames],
  accumulator: accumulatorNames,
  // an alias that the text tells of
  'expression operators': Object.keys(operators).filter((name) => name !== '$const'),
};

const folders = { contract: 'test/contract/document-store', torture: 'test/torture', fuzz: 'test/fuzz' };

/** The text of the spec that the page calls so: below one of the folders, or beside the page. */
function specOf(file: string): string | undefined {
  const [folder = '', ...rest] = file.split('/');
  const base = folder in folders ? join(root, folders[folder as keyof typeof folders], ...rest) : join(here, file);
  const path = ['int', 'unit'].map((kind) => `${base}.${kind}.spec.ts`).find(existsSync);
  return path === undefined ? undefined : readFileSync(path, 'utf8');
}

const isShown = (file: string, title: string) => {
  const source = specOf(file);
  return source !== undefined && title !== '' && (isTitled(source, title) || isGroupTitled(source, title));
};

describe('the page about the embedded document store', () => {
  for (const [head, known] of Object.entries(tables)) {
    it(`names every ${head.replaceAll('`', '')} once, and no other`, () => {
      const named = rowsBelow(head, 'rule', 'page', 'test').flatMap(([names = '']) => codesIn(names));
      expect(named.toSorted()).to.deep.equal([...known].sort());
    });
  }

  it('names tests that exist', () => {
    const missing = [...Object.keys(tables), 'place in an update'].flatMap((head) =>
      rowsBelow(head, 'rule', 'page', 'test').flatMap(([names = '', rule = '', page = '', test = '']) => {
        const [, file = '', title = ''] = /^`([^`]+)` (.*)$/.exec(test) ?? [];
        const titles = title === 'by name' ? codesIn(names) : [title];
        const faults = titles.filter((each) => !isShown(file, each)).map((each) => `${file} ${each}`);
        return rule === '' || page === '' ? [...faults, `${names} has no rule or page`] : faults;
      }),
    );
    expect(missing).to.deep.equal([]);
  });

  it('names tests in its text that exist', () => {
    const named = [...readme.matchAll(/\(`(contract\/[a-z-]+)` ([^)]+)\)/g)];
    expect(named.length).to.be.greaterThan(4);
    const missing = named.filter(([, file = '', title = '']) => !isShown(file, title)).map(([text]) => text);
    expect(missing).to.deep.equal([]);
  });

  it('names tests of its promises that exist', () => {
    const cases = rowsBelow('case', 'file', 'test');
    let file = '';
    const missing = cases.filter(([, named = '', title = '']) => {
      file = codesIn(named)[0] ?? file;
      return !isShown(file, title);
    });
    expect(cases.length).to.be.greaterThan(30);
    expect(missing).to.deep.equal([]);
  });

  it('names files that exist', () => {
    const there = readdirSync(here, { recursive: true, encoding: 'utf8' });
    const named = rowsBelow('part', 'files').flatMap(([part = '', files = '']) => [
      ...codesIn(part),
      ...codesIn(files),
    ]);
    const missing = named.filter(
      (name) => !there.some((path) => path === name.replace(/\/$/, '') || path.endsWith(`/${name}`)),
    );
    expect(missing).to.deep.equal([]);
  });

  describe('names refusals', () => {
    let server: TestServer;
    before(async () => {
      server = await startTestServer();
      await server.db.collection<{ _id: number; a: number[] }>('x').insertOne({ _id: 1, a: [1, 2] });
    });
    after(() => server.stop());

    const answer = async (command: Document): Promise<number | undefined> => {
      try {
        const { writeErrors } = await server.db.command(command);
        return writeErrors?.[0].code;
      } catch (err) {
        return (err as Failure).code;
      }
    };

    for (const [refused = '', code = '', example = ''] of rowsBelow('refused', 'code', 'as in')) {
      it(`${refused}: ${code}`, async () => {
        expect(await answer(BSON.EJSON.parse(codesIn(example)[0] ?? '') as Document)).to.equal(Number(code));
      });
    }

    it('that leave everything as it was', async () => {
      expect(await server.db.collection('x').find().toArray()).to.deep.equal([{ _id: 1, a: [1, 2] }]);
      expect((await server.db.listCollections().toArray()).map(({ name }) => name)).to.deep.equal(['x']);
    });
  });
});
