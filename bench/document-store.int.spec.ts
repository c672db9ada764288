import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { temporaryFolder } from '../test/support/stores.js';
import { readArguments } from './arguments.js';
import { documentStore } from './document-store.js';
import { canMeter } from './meter.js';
import { answer, type Result } from './result.js';

const sizes = { small: 50, medium: 200, large: 1_000, 'arm-ms': 5, bulks: 1 };

describe('the question document-store', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async function () {
    if (!canMeter) this.skip();
    folder = await temporaryFolder();
  });
  after(() => folder?.remove());

  it('is answered in full, on a small scale', async () => {
    const args = Object.entries(sizes).map(([name, size]) => `--${name}=${size}`);
    const [asked] = readArguments(['document-store', '--rounds=2', ...args], [documentStore]);
    if (asked === undefined) throw new Error('Nothing is asked.');
    const told: string[] = [];
    const { result, path } = await answer(asked, {
      folder: join(folder.path, 'results'),
      progress: (text) => told.push(text),
    });

    const written = JSON.parse(readFileSync(path, 'utf8')) as Result;
    expect(written).to.deep.equal(JSON.parse(JSON.stringify(result)));
    expect(written).to.deep.include({ question: 'document-store', rounds: 2, seed: 1, sizes });
    expect(told).to.include('reads, round 1 of 3: find by _id, 50 documents');

    const { rows } = result;
    for (const { measure, samples, value, unit, goal, met } of rows) {
      expect(samples, measure).to.have.length.at.least(1);
      for (const figure of [...samples, ...Object.values(value)]) {
        expect(Number.isFinite(figure) && (figure >= 0 || unit === 'exponent'), `${measure}: ${figure}`).to.equal(true);
      }
      expect(met, measure).to.be.a(goal === undefined ? 'undefined' : 'boolean');
    }
    const grown = rows.filter(({ unit }) => unit === 'exponent').map(({ measure }) => measure.replace(', growth', ''));
    expect(grown).to.deep.equal([
      'find by _id',
      'equality, 20 found',
      'equality + range + sort + limit 20',
      '$all of a common word and a brand + prefix, limit 20',
      '$all of a common word + prefix, limit 20',
      "facets of a brand's 200",
      'facets of a hundredth',
      'scan, no index',
      'group by category, all documents',
      'insertMany, time of a document',
      'upserts that insert, time of a document',
      'upserts that modify, time of a document',
      'upserts that change a price, time of a document',
    ]);
    for (const name of grown) {
      const arm = name.replace(', time of a document', '');
      const figures = rows.filter(({ measure, unit }) => measure.startsWith(`${arm}, `) && /ms|1\/s/.test(unit));
      expect(figures, arm).to.have.length(name === arm ? 6 : 3);
      for (const { samples, cpu } of figures) {
        expect(samples, arm).to.have.length(2);
        expect(cpu?.client.median, arm).to.be.greaterThan(0);
      }
    }
    const goals = rows.filter(({ goal }) => goal !== undefined);
    expect(goals.map(({ goal }) => goal)).to.deep.equal([
      ...Array.from({ length: 6 }, () => ({ atMost: 1.3 })),
      ...Array.from({ length: 2 }, () => ({ atLeast: 15_000 })),
    ]);
    expect(rows.filter(({ measure }) => measure.startsWith('durable single writes'))).to.have.length(10);
    expect(rows.filter(({ unit }) => unit === 'MiB' || unit === 'bytes')).to.have.length(6);
  }).timeout(120_000);
});
