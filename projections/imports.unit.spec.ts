import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '..');
const allowedOfDomain = /^domain\/(core\/[\w-]+|event-catalog|[\w-]+\/[\w-]+-events)\.js$/;

/** The files that a folder's own product code imports, itself included, followed through the folder and the runtime. */
function domainImports(folder: string): string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => join(root, folder, file));
  expect(files).not.to.have.length(0);
  return files.flatMap((file) => {
    const specifiers = [...readFileSync(file, 'utf8').matchAll(/from\s+'(\.[^']+)'/g)].map((match) => match[1] ?? '');
    const targets = specifiers.map((specifier) =>
      relative(root, resolve(dirname(file), specifier))
        .split(sep)
        .join('/'),
    );
    return targets.filter((target) => target.startsWith('domain/'));
  });
}

describe('what the read side knows of the domain', () => {
  it('is events and core, never a decider', () => {
    const imported = domainImports('projections');
    expect(imported).to.include('domain/event-catalog.js').and.include('domain/order/order-events.js');
    expect(imported.filter((target) => !allowedOfDomain.test(target))).to.deep.equal([]);
  });

  it('would notice a decider', () => {
    expect(allowedOfDomain.test('domain/order/order.js')).to.equal(false);
    expect(allowedOfDomain.test('domain/fulfilment/fulfilment.js')).to.equal(false);
  });
});
