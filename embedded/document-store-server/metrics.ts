import { statSync } from 'node:fs';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Server } from './server/context.js';
import type { ChangeKind, ScanKind, StoreTotals } from './storage/totals.js';

/** What the server counts while it works: once a command or a transaction, never once a document. */
export type Metrics = ReturnType<typeof commandMetrics>;

const seconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export function commandMetrics(registry: Registry) {
  const registers = [registry];
  const histogram = <T extends string>(name: string, help: string, buckets: number[], labelNames: T[] = []) =>
    new Histogram({ name: `document_store_${name}`, help, buckets, labelNames, registers });
  return {
    commands: new Counter({
      name: 'document_store_commands_total',
      help: 'Commands answered, by name and outcome: ok, write-errors, or the name of the error',
      labelNames: ['command', 'outcome'],
      registers,
    }),
    commandSeconds: histogram('command_seconds', 'How long commands took', seconds, ['command']),
    commitSeconds: histogram('commit_seconds', 'How long a transaction took, fsync included', seconds),
    commitDocuments: histogram(
      'commit_documents',
      'Documents inserted, updated or removed in one transaction',
      [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
    ),
    expired: new Counter({
      name: 'document_store_expired_documents_total',
      help: 'Documents that TTL indexes removed',
      registers,
    }),
  };
}

const scanKinds: readonly ScanKind[] = ['id', 'index', 'collection', 'everything'];
const changeKinds: readonly ChangeKind[] = ['inserted', 'updated', 'removed'];

/** Adds what is looked up when it is asked for. */
export function watchServer(registry: Registry, { store, cursors, connections }: Server): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `document_store_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  const counter = <T extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly T[],
    of: (one: T) => number,
  ) =>
    new Counter({
      name: `document_store_${name}`,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const value of values) this.inc({ [label]: value }, of(value));
      },
    });
  const totals: StoreTotals = store.totals;
  counter(
    'scans_total',
    'Searches for documents, by what they went through; collection: a filter that no index helps',
    'kind',
    scanKinds,
    (kind) => totals.scans[kind],
  );
  counter(
    'examined_total',
    'Index keys and documents that searches looked at',
    'what',
    ['keys', 'documents'],
    (what) => totals.examined[what],
  );
  counter(
    'documents_written_total',
    'Documents written and stored',
    'change',
    changeKinds,
    (kind) => totals.changed[kind],
  );
  new Counter({
    name: 'document_store_documents_returned_total',
    help: 'Documents sent in the batches of cursors',
    registers,
    collect() {
      this.reset();
      this.inc(cursors.returned);
    },
  });
  gauge('connections', 'Connections open now', connections);
  gauge('open_cursors', 'Cursors open now', () => cursors.size);
  gauge('cursor_bytes', 'Bytes of results that open cursors hold', () => cursors.heldBytes);
  gauge('backlog_writes', 'Writes that were taken in and are not stored yet', () => store.backlog);
  gauge('disk_full', '1 while writes are refused for lack of room', () => (store.isFull ? 1 : 0));
  gauge('file_bytes', 'Length of the data file', () => statSync(store.path).size);
  gauge('used_bytes', 'How much of the data file is in use', () => store.usedBytes);
}
