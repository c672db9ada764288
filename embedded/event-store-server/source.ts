import { anyStream } from './commit-signal.js';
import { firstReadable } from './head.js';
import { type Direction, type Page, readAllPage, readEvent, readStreamPage } from './reader.js';
import { recordCreated, recordData } from './record.js';
import { firstKept } from './removed.js';
import { readHead, readState, type Storage } from './storage.js';

/** A stream by revision or the whole log by position, read the same way. */
export interface Source {
  /** what to wait on at the end */
  key: string;
  newest(): number;
  page(from: number, direction: Direction, limit: number, until: number): Page;
}

export interface SourceDeps {
  storage: Storage;
  /** milliseconds since 1970 */
  now: () => number;
}

/** @param stream undefined for the whole log */
export function openSource({ storage, now }: SourceDeps, stream: string | undefined): Source {
  if (stream === undefined) {
    return {
      key: anyStream,
      newest: () => readState(storage).head,
      page: (...range) => readAllPage(storage, ...range),
    };
  }
  return {
    key: stream,
    newest: () => readHead(storage, stream)?.revision ?? -1,
    page: (...range) => readStreamPage(storage, stream, now(), ...range),
  };
}

/** The type of an event that stands for another one. */
export const linkType = '$>';

/** The event that a link names as `revision@stream`; undefined when it is gone. */
export function resolveLink({ storage, now }: SourceDeps, link: Buffer): Buffer | undefined {
  const [, revision, stream] = /^(\d+)@(.+)$/su.exec(recordData(link).toString('utf8')) ?? [];
  if (revision === undefined || stream === undefined) return undefined;
  const head = readHead(storage, stream);
  if (head === undefined || head.tombstoned) return undefined;
  const target = Number(revision);
  const first = Math.max(firstReadable(stream, head), firstKept(storage, head.streamId));
  if (target > head.revision || target < first) return undefined;
  const { record } = readEvent(storage, head.streamId, stream, target);
  const { maxAge } = head.truncation;
  return maxAge > 0 && recordCreated(record) < now() - maxAge * 1000 ? undefined : record;
}
