import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EJSON } from 'bson';
import { MongoClient } from 'mongodb';
import { startDocumentStore } from '../../../../embedded/document-store-server/document-store.js';
import { silentLogger } from '../../../../runtime/logger.js';
import { type Outcome, runFile, type Verdict } from './run-test.js';
import type { TestFile } from './test-file.js';

const verdicts: Verdict[] = ['passed', 'failed', 'refused', 'skipped'];

function counts(outcomes: Outcome[]): string {
  return verdicts
    .map((verdict) => String(outcomes.filter((one) => one.verdict === verdict).length).padStart(9))
    .join('');
}

/** Runs every test file under a folder against the embedded server, or the one that MONGODB_TEST_URL names. */
async function runFolder(folder: string): Promise<boolean> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
  const dataDir = mkdtempSync(join(tmpdir(), 'crud-spec-'));
  const given = process.env['MONGODB_TEST_URL'];
  const store = given === undefined ? await startDocumentStore({ dataDir, port: 0, log: silentLogger }) : undefined;
  const url = given ?? store?.connectionString ?? '';
  const client = await new MongoClient(url).connect();
  const all: Outcome[] = [];
  try {
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    const width = Math.max(10, ...paths.map((path) => path.length));
    process.stdout.write(`${'file'.padEnd(width)}${verdicts.map((verdict) => verdict.padStart(9)).join('')}\n`);
    for (const path of paths.sort()) {
      const file = EJSON.parse(readFileSync(join(folder, path), 'utf8')) as TestFile;
      if (!Array.isArray(file.tests) || !String(file.schemaVersion).startsWith('1.')) {
        process.stdout.write(`${path.padEnd(width)} is not of the unified format 1.x\n`);
        continue;
      }
      const outcomes = await runFile({ url, version: String(version), client }, path, file);
      all.push(...outcomes);
      process.stdout.write(`${path.padEnd(width)}${counts(outcomes)}\n`);
    }
    process.stdout.write(`${'in all'.padEnd(width)}${counts(all)}\n\n`);
    for (const { file, test, verdict, reason } of all.filter((one) => one.verdict !== 'passed')) {
      process.stdout.write(`${verdict} ${file} "${test}"\n    ${reason}\n`);
    }
    process.stdout.write(`asked of ${given === undefined ? 'the embedded document store' : 'MONGODB_TEST_URL'}\n`);
  } finally {
    await client.close();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return all.length > 0 && !all.some(({ verdict }) => verdict === 'failed');
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('npm run crud-spec -- DIR: a folder with test files of the unified format\n');
  process.exit(2);
}
process.exit((await runFolder(resolve(folder))) ? 0 : 1);
