import type { Import } from './source-facts.js';

/** A room of the source tree and what its files may import. */
export interface Room {
  readonly name: string;
  /** Paths of sources, from the root; the first room that fits counts. `NAME` stands for one folder or file name. */
  readonly files: RegExp;
  /** Sources this room may import. `$1` stands for what the first group of `files` found. */
  readonly may: readonly string[];
  /** Sources of which it may import types, but nothing that runs. */
  readonly mayKnowTypesOf?: readonly string[];
  /** The only packages it may import; any, if not given. */
  readonly packages?: readonly string[];
  /** No Node module, no clock, no randomness, nothing of the platform. */
  readonly pure?: true;
  readonly mend: string;
}

const events = 'domain/[^/]+/[^/]+-events\\.ts';
const machinery = 'runtime/(config|logger|metrics|lifecycle)\\.ts';
const pure = { packages: ['zod'], pure: true } as const;

/** The import table of docs/architecture.md. */
export const rooms: readonly Room[] = [
  {
    name: 'domain/core',
    files: /^domain\/core\//,
    may: ['domain/core/'],
    ...pure,
    mend: 'domain/core knows zod and itself alone: hand in what it needs as an argument',
  },
  {
    name: 'domain/fulfilment',
    files: /^domain\/fulfilment\//,
    may: ['domain/core/', 'domain/fulfilment/', events],
    mayKnowTypesOf: ['domain/[^/]+/'],
    ...pure,
    mend: "fulfilment reads the aggregates' events and answers with commands: import *-events.ts, or types alone",
  },
  {
    name: 'domain/event-catalog',
    files: /^domain\/event-catalog\.ts$/,
    may: ['domain/core/', events],
    ...pure,
    mend: 'the catalogue lists codecs: import *-events.ts alone',
  },
  {
    name: 'an aggregate',
    files: /^domain\/([^/]+)\//,
    may: ['domain/core/', 'domain/$1/'],
    ...pure,
    mend: 'an aggregate decides on its own: what it must know of another arrives in the command, or fulfilment does it',
  },
  {
    name: 'runtime',
    files: /^runtime\//,
    may: ['runtime/', 'domain/core/'],
    mend: 'runtime knows no business word: take what it needs as an argument, or move the file to the room it serves',
  },
  {
    name: 'command-api',
    files: /^command-api\//,
    may: ['command-api/', 'domain/', 'runtime/'],
    mend: 'the write side never asks read models: decide on streams, and move what both sides need to runtime',
  },
  {
    name: 'projections',
    files: /^projections\//,
    may: ['projections/', events, 'domain/event-catalog\\.ts', 'domain/core/', 'runtime/'],
    mend: 'a projection folds events: import *-events.ts, never the file that decides',
  },
  {
    name: 'read-api/audit',
    files: /^read-api\/audit\//,
    may: ['read-api/', 'projections/[^/]+/', 'domain/', 'runtime/'],
    mend: 'the audit folds with domain and projections; nothing else of another app belongs here',
  },
  {
    name: 'read-api',
    files: /^read-api\//,
    may: ['read-api/', 'projections/[^/]+/document\\.ts', 'domain/core/', 'runtime/'],
    mend: 'a query knows a read model by its document.ts alone: put the shape there, or fold in the projection',
  },
  {
    name: 'gateway',
    files: /^gateway\//,
    may: ['gateway/', 'runtime/'],
    mend: 'the gateway reaches every other service over HTTP',
  },
  {
    name: 'an embedded server',
    files: /^embedded\/([^/]+)\//,
    may: ['embedded/$1/', 'embedded/[^/]+\\.ts', machinery],
    mend: 'an embedded server stands for a foreign product: it knows nothing of the shop and nothing of its neighbours',
  },
  {
    name: 'embedded',
    files: /^embedded\/[^/]+\.ts$/,
    may: ['embedded/[^/]+\\.ts', machinery],
    mend: 'the supervisor starts processes and imports none of them',
  },
  {
    name: 'cli',
    files: /^cli\//,
    may: ['cli/', 'command-api/', 'domain/', 'embedded/', 'gateway/', 'projections/', 'read-api/', 'runtime/'],
    mend: 'the command line ships to users: what it needs of test or bench moves to a room of its own',
  },
];

export function roomOf(path: string): Room | undefined {
  return rooms.find(({ files }) => files.test(path));
}

/** Whether a file of the room may import this. */
export function mayImport(room: Room, path: string, { kind, target, typesOnly }: Import): boolean {
  if (kind === 'node') return room.pure !== true;
  if (kind === 'package') return room.packages === undefined || room.packages.includes(target);
  const allowed = typesOnly ? [...room.may, ...(room.mayKnowTypesOf ?? [])] : room.may;
  const own = room.files.exec(path)?.[1] ?? '';
  return allowed.some((pattern) => new RegExp(`^${pattern.replace('$1', own)}`).test(target));
}
