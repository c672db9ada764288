import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { createCatalog, defineEvent } from '../../domain/core/event-codec.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import { brokenSeals, goldenFolder, missingSeals, readingFaults, sealNew } from './golden-files.js';

describe('the golden files', () => {
  it('are all as they were sealed, append-only', () => {
    expect(brokenSeals(goldenFolder())).to.deep.equal([]);
    expect(missingSeals(goldenFolder())).to.deep.equal([]);
  });

  it('cover every version of every event type, and are read and stored as they have to be', () => {
    expect(readingFaults(goldenFolder(), eventCatalog)).to.deep.equal([]);
  });

  it('are as many as the versions in the catalogue, so that an empty folder cannot pass', () => {
    const files = readdirSync(goldenFolder()).filter((name) => /\.v\d+\.json$/.test(name));
    const versions = [...eventCatalog.definitions.values()].reduce((sum, { version }) => sum + version, 0);
    expect(files.length).to.equal(versions);
    expect(versions).to.be.at.least(54);
  });

  it('hold no personal data in the clear', () => {
    const clear: string[] = [];
    for (const name of readdirSync(goldenFolder()).filter((file) => file.endsWith('.json'))) {
      if (readFileSync(join(goldenFolder(), name), 'utf8').includes('@')) clear.push(name);
    }
    expect(clear).to.deep.equal([]);
  });
});

describe('the check of golden files', () => {
  const first = createCatalog([defineEvent({ type: 'test.priced', data: z.strictObject({ price: z.number() }) })]);
  const minor = z.strictObject({ minor: z.int() });
  const second = createCatalog([
    defineEvent({
      type: 'test.priced',
      version: 2,
      data: minor,
      upcasters: { 1: ({ price }) => ({ minor: Math.round(Number(price) * 100) }) },
    }),
  ]);
  let folder: string;
  const write = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
  const about = (faults: string[], ...names: string[]) =>
    expect(faults.map((fault) => fault.split(/[ :]/)[0])).to.deep.equal(names);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'golden-'));
    write('test.priced.v1.json', { type: 'test.priced', version: 1, data: { price: 12.5 } });
    expect(sealNew(folder, first)).to.deep.equal(['test.priced.v1.json']);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is content with a sealed file that is read as it was stored', () => {
    expect([...brokenSeals(folder), ...missingSeals(folder), ...readingFaults(folder, first)]).to.deep.equal([]);
    expect(sealNew(folder, first)).to.deep.equal([]);
  });

  it('names a file that was changed, and does not seal it anew', () => {
    write('test.priced.v1.json', { type: 'test.priced', version: 1, data: { price: 13 } });
    about(brokenSeals(folder), 'test.priced.v1.json');
    expect(() => sealNew(folder, first)).to.throw(Error);
    about(brokenSeals(folder), 'test.priced.v1.json');
  });

  it('names a file that was removed, and does not forget it', () => {
    rmSync(join(folder, 'test.priced.v1.json'));
    about(brokenSeals(folder), 'test.priced.v1.json');
    about(readingFaults(folder, first), 'test.priced.v1.json');
    expect(() => sealNew(folder, createCatalog([]))).to.throw(Error);
  });

  it('names a file that nobody sealed', () => {
    write('test.priced.v2.json', { type: 'test.priced', version: 2, data: { minor: 1250 } });
    about(missingSeals(folder), 'test.priced.v2.json');
  });

  it('asks for the new version and the new reading of the old one, once a version is raised', () => {
    about(readingFaults(folder, second), 'test.priced.v2.json', 'test.priced.v1.as-v2.json');
    write('test.priced.v2.json', { type: 'test.priced', version: 2, data: { minor: 1250 } });
    write('test.priced.v1.as-v2.json', { type: 'test.priced', version: 2, data: { minor: 1250 } });
    expect(readingFaults(folder, second)).to.deep.equal([]);
    expect(sealNew(folder, second)).to.deep.equal(['test.priced.v1.as-v2.json', 'test.priced.v2.json']);
    expect([...brokenSeals(folder), ...missingSeals(folder)]).to.deep.equal([]);
  });

  it('names an old version that is read as something else', () => {
    write('test.priced.v2.json', { type: 'test.priced', version: 2, data: { minor: 1250 } });
    write('test.priced.v1.as-v2.json', { type: 'test.priced', version: 2, data: { minor: 1251 } });
    about(readingFaults(folder, second), 'test.priced.v1.json');
  });

  it('names a file whose type is gone, whose data do not fit, or whose name says something else', () => {
    about(readingFaults(folder, createCatalog([])), 'test.priced.v1.json');
    const stricter = createCatalog([defineEvent({ type: 'test.priced', data: minor })]);
    about(readingFaults(folder, stricter), 'test.priced.v1.json');
    write('test.other.v1.json', { type: 'test.priced', version: 1, data: { price: 1 } });
    write('Priced.json', {});
    about(readingFaults(folder, first), 'Priced.json', 'test.other.v1.json');
  });

  it('names a file that is not stored again as it was', () => {
    const rounding = createCatalog([
      defineEvent({ type: 'test.priced', data: z.strictObject({ price: z.number().overwrite(Math.floor) }) }),
    ]);
    about(readingFaults(folder, rounding), 'test.priced.v1.json');
  });
});
