import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { checkSources, tell } from './architecture/check-sources.js';
import type { Source } from './architecture/source-facts.js';

const folders = JSON.parse(readFileSync(join(root(), 'tsconfig.json'), 'utf8')).include as string[];

/** The source tree, also when the compiled copy of this file runs. */
function root(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function readSources(): Source[] {
  const sources: Source[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root(), folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (path.endsWith('.ts')) sources.push({ path, text: readFileSync(join(root(), path), 'utf8') });
    }
  };
  for (const folder of folders) if (existsSync(join(root(), folder))) walk(folder);
  return sources;
}

describe('the source tree', () => {
  const sources = readSources();

  it('has its prescribed rooms', () => {
    const found = new Set(sources.map(({ path }) => path.split('/')[0]));
    expect([...found]).to.include.members(['domain', 'command-api', 'projections', 'read-api', 'gateway', 'runtime']);
  });

  it('keeps the rules of its rooms', () => {
    const breaches = checkSources(sources).map(tell);
    if (breaches.length > 0) expect.fail(`${breaches.length} breaches\n${breaches.join('\n')}\n`);
  });
});
