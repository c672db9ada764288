import { statSync } from 'node:fs';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { OpenCalls } from './open-calls.js';
import { readState, type Storage } from './storage.js';
import type { Writer } from './writer.js';

/** What the server counts while it works: once a commit or a page, never once an event. */
export type StoreMetrics = ReturnType<typeof storeMetrics>;

export function storeMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: T[] = []) =>
    new Counter({ name: `event_store_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `event_store_${name}`, help, buckets, registers });
  return {
    appends: counter('appends_total', 'Appends and deletes, by what they were answered with', ['outcome']),
    eventsAppended: counter('events_appended_total', 'Events stored'),
    bytesAppended: counter('bytes_appended_total', 'Bytes of the records stored'),
    commitEvents: histogram(
      'commit_events',
      'Events in one transaction',
      [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000],
    ),
    commitSeconds: histogram(
      'commit_seconds',
      'How long a transaction took, fsync included',
      [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    ),
    reads: counter('reads_total', 'Reads and subscriptions begun', ['kind']),
    eventsSent: counter('events_sent_total', 'Events sent to readers and subscribers'),
    bytesSent: counter('bytes_sent_total', 'Bytes sent to readers and subscribers'),
    subscribers: new Gauge({ name: 'event_store_subscribers', help: 'Subscriptions open now', registers }),
  };
}

/** Adds what is looked up when it is asked for. @param path LMDB's data file */
export function watchStore(registry: Registry, path: string, storage: Storage, writer: Writer, calls: OpenCalls): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `event_store_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const lmdb = () => storage.root.getStats() as { lastPageNumber: number; pageSize: number; mapSize: number };
  gauge('backlog_events', 'Events that were accepted and are not stored yet', () => writer.backlog);
  gauge('open_calls', 'Calls open now that outlive one request', () => calls.count);
  gauge('disk_full', '1 while appends are refused for lack of room', () => (writer.isFull ? 1 : 0));
  gauge('head_position', 'Position of the last event stored', () => readState(storage).head);
  gauge('file_bytes', 'Length of the data file', () => statSync(path).size);
  gauge('used_bytes', 'How much of the data file is in use', () => (lmdb().lastPageNumber + 1) * lmdb().pageSize);
  gauge('map_bytes', 'Address space that the data file is mapped into', () => lmdb().mapSize);
}
