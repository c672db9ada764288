import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DecodeError, type EventCatalog } from '../../domain/core/event-codec.js';
import { sameJson } from '../../domain/core/specification.js';

// Golden files are what the log has held: `<type>.v<version>.json` for every event type and version, and for a version
// that is no longer the newest `<type>.v<version>.as-v<newest>.json`, what reading it has to give. They never change.

const manifestName = 'manifest.json';
const fileName = /^(?<type>[a-z_.]+)\.v(?<version>\d+)(?:\.as-v(?<newest>\d+))?\.json$/;

interface StoredEvent {
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
}

/** The folder of this file in the source tree, also when the compiled copy runs. */
export function goldenFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'test', 'golden');
}

function goldenNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== manifestName)
    .sort();
}

function readManifest(folder: string): Record<string, string> {
  const path = join(folder, manifestName);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>) : {};
}

function digest(folder: string, name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');
}

function readStored(folder: string, name: string): StoredEvent {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as StoredEvent;
}

/** What was done to sealed files, a sentence each; none when all are as they were sealed. */
export function brokenSeals(folder: string): string[] {
  const names = new Set(goldenNames(folder));
  return Object.entries(readManifest(folder)).flatMap(([name, sealed]) => {
    if (!names.has(name)) {
      return [`${name} was removed: logs hold such events for ever, so the file has to come back.`];
    }
    if (digest(folder, name) === sealed) return [];
    return [`${name} was changed: stored events do not change. Undo it, and raise the version of the event instead.`];
  });
}

/** Files that no seal protects yet, a sentence each. */
export function missingSeals(folder: string): string[] {
  const manifest = readManifest(folder);
  return goldenNames(folder)
    .filter((name) => manifest[name] === undefined)
    .map((name) => `${name} is not sealed: run "npx tsx test/golden/seal.ts".`);
}

function readingFault(folder: string, name: string, catalog: EventCatalog): string | undefined {
  const named = fileName.exec(name)?.groups;
  if (named === undefined) return `${name} is not named <type>.v<version>.json.`;
  const { type, version, data } = readStored(folder, name);
  const told = Number(named['newest'] ?? named['version']);
  if (type !== named['type'] || version !== told)
    return `${name} holds ${type} v${version}, which its name does not say.`;
  const definition = catalog.definitions.get(type);
  if (definition === undefined) return `${name}: the catalogue does not know ${type} any more, logs still do.`;
  if (named['newest'] !== undefined) return undefined;
  let expected = data;
  if (version < definition.version) {
    const reading = `${type}.v${version}.as-v${definition.version}.json`;
    if (!existsSync(join(folder, reading))) return `${reading} is missing: what reading ${name} has to give.`;
    expected = readStored(folder, reading).data;
  }
  try {
    const read = catalog.decode(type, version, data);
    if (!sameJson(read.data, expected)) return `${name} is read as something else than it has to be.`;
    const stored = catalog.encode(read);
    if (stored.version !== definition.version || !sameJson(stored.data, expected)) {
      return `${name} is not stored again as it was read.`;
    }
  } catch (error) {
    if (error instanceof DecodeError) return `${name} cannot be read: ${error.message}.`;
    throw error;
  }
  return undefined;
}

/** What is wrong with how the catalogue reads the golden files, a sentence each. */
export function readingFaults(folder: string, catalog: EventCatalog): string[] {
  const names = goldenNames(folder);
  const there = new Set(names);
  const missing = [...catalog.definitions.values()].flatMap(({ type, version: newest }) =>
    Array.from({ length: newest }, (_, index) => `${type}.v${index + 1}.json`)
      .filter((name) => !there.has(name))
      .map((name) => `${name} is missing: every version of every event type has a golden file.`),
  );
  return [...missing, ...names.flatMap((name) => readingFault(folder, name, catalog) ?? [])];
}

/**
 * Appends the files that are not sealed yet to the manifest and answers their names.
 *
 * @throws Error, and seals nothing, when a sealed file was changed or removed or a file cannot be read as it has to be
 */
export function sealNew(folder: string, catalog: EventCatalog): string[] {
  const faults = [...brokenSeals(folder), ...readingFaults(folder, catalog)];
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const manifest = readManifest(folder);
  const fresh = goldenNames(folder).filter((name) => manifest[name] === undefined);
  for (const name of fresh) manifest[name] = digest(folder, name);
  const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(folder, manifestName), `${JSON.stringify(sorted, undefined, 2)}\n`);
  return fresh;
}
