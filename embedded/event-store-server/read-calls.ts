import { randomUUID } from 'node:crypto';
import type * as streamTypes from '@eventstore/db-client/generated/streams_pb.js';
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/logger.js';
import { encodeCaughtUp, encodeCheckpoint, encodeConfirmation, encodeEvent, encodeStreamNotFound } from './answers.js';
import type { CommitSignal } from './commit-signal.js';
import { invalid, streamDeleted, toCallError } from './errors.js';
import type { StoreMetrics } from './metrics.js';
import type { OpenCalls } from './open-calls.js';
import { parseReadRequest, type ReadRequest } from './read-request.js';
import { type StoredEvent, streamStatus } from './reader.js';
import { recordType } from './record.js';
import { linkType, openSource, resolveLink } from './source.js';
import type { Storage } from './storage.js';

export interface ReadDeps {
  storage: Storage;
  signal: CommitSignal;
  calls: OpenCalls;
  metrics: StoreMetrics;
  log: Logger;
  /** milliseconds since 1970 */
  now: () => number;
}

/** The reader of one call: it pulls pages from storage as fast as its caller takes them, and holds no more than one. */
interface Outlet {
  /** false once the call is over */
  readonly isOpen: boolean;
  write(message: Buffer): Promise<void> | undefined;
  /** Writes a message that holds an event. */
  writeEvent(message: Buffer): Promise<void> | undefined;
  /** Counts what was written since the last time. */
  count(): void;
  /** resolves at the next commit that touches the stream, or when the call is over */
  nextCommit(stream: string): Promise<void>;
}

export function readCall(deps: ReadDeps): handleServerStreamingCall<streamTypes.ReadReq, Buffer> {
  return (call) => {
    const outlet = openOutlet(call, deps);
    const serve = async (): Promise<void> => {
      deps.calls.admit();
      const request = parseReadRequest(call.request);
      deps.metrics.reads.inc({ kind: kindOf(request) });
      if (!request.isSubscription) {
        await read(request, outlet, deps);
        return;
      }
      deps.metrics.subscribers.inc();
      await subscribe(request, outlet, deps).finally(() => deps.metrics.subscribers.dec());
    };
    serve().then(
      () => call.end(),
      (err: unknown) => {
        if (outlet.isOpen) call.emit('error', toCallError(err, deps.log));
      },
    );
  };
}

const kindOf = ({ stream, isSubscription }: ReadRequest): string =>
  `${stream === undefined ? 'all' : 'stream'}${isSubscription ? '-subscription' : ''}`;

function openOutlet(call: ServerWritableStream<streamTypes.ReadReq, Buffer>, deps: ReadDeps): Outlet {
  let isOpen = true;
  let wake: (() => void) | undefined;
  const over = deps.calls.add({ end: (err) => call.emit('error', err) });
  let events = 0;
  let bytes = 0;
  const count = () => {
    deps.metrics.eventsSent.inc(events);
    deps.metrics.bytesSent.inc(bytes);
    events = 0;
    bytes = 0;
  };
  const close = () => {
    isOpen = false;
    count();
    over();
    wake?.();
  };
  for (const event of ['cancelled', 'error', 'close', 'finish'] as const) call.on(event, close);
  call.on('drain', () => wake?.());
  const woken = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const write = (message: Buffer) => {
    if (!isOpen) return undefined;
    bytes += message.length;
    return call.write(message) ? undefined : woken();
  };
  return {
    get isOpen() {
      return isOpen;
    },
    count,
    write,
    writeEvent(message) {
      if (isOpen) events += 1;
      return write(message);
    },
    async nextCommit(stream) {
      if (!isOpen) return;
      const woke = woken();
      const stop = deps.signal.onNext(stream, () => wake?.());
      await woke;
      stop();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function read(request: ReadRequest, outlet: Outlet, deps: ReadDeps): Promise<void> {
  const { stream, direction, filter } = request;
  if (stream !== undefined) {
    const status = streamStatus(deps.storage, stream);
    if (status === 'tombstoned') throw streamDeleted(stream);
    if (status === 'not-found') {
      await outlet.write(encodeStreamNotFound(stream));
      return;
    }
  }
  const source = openSource(deps, stream);
  // Writers may be faster than this reader: it ends where the log ended when it began.
  const newest = source.newest();
  let next = typeof request.start === 'number' ? request.start : request.start === 'start' ? 0 : newest;
  if (request.start === 'end' && direction === 'forwards') next = newest + 1;
  let left = request.count;
  while (outlet.isOpen && left > 0) {
    const page = source.page(next, direction, filter === undefined ? left : Number.POSITIVE_INFINITY, newest);
    const passes = filter?.test(page.events);
    for (const [index, event] of page.events.entries()) {
      if (left === 0 || !outlet.isOpen) return;
      if (passes?.[index] === false) continue;
      await outlet.writeEvent(encode(event, request, deps));
      left -= 1;
    }
    outlet.count();
    if (page.atEnd) return;
    next = page.next;
    await turn();
  }
}

async function subscribe(request: ReadRequest, outlet: Outlet, deps: ReadDeps): Promise<void> {
  const { stream, start, filter } = request;
  const source = openSource(deps, stream);
  const newest = source.newest();
  if (stream === undefined && typeof start === 'number' && start > newest) {
    // Taken from another log, or this log has lost its tail: waiting would skip events without a word.
    throw invalid(`Position ${start} lies beyond the end of the log, which is at ${newest}.`);
  }
  await outlet.write(encodeConfirmation(randomUUID()));
  let next = start === 'start' ? 0 : start === 'end' ? newest + 1 : start + 1;
  let examined = 0;
  let isLive = false;
  while (outlet.isOpen) {
    const page = source.page(next, 'forwards', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    const passes = filter?.test(page.events);
    for (const [index, event] of page.events.entries()) {
      if (!outlet.isOpen) return;
      if (passes?.[index] !== false) await outlet.writeEvent(encode(event, request, deps));
      examined += 1;
      if (filter === undefined || examined < filter.checkpointEvery) continue;
      examined = 0;
      await outlet.write(encodeCheckpoint(event.position));
    }
    outlet.count();
    next = page.next;
    if (!outlet.isOpen) return;
    if (page.atEnd && !isLive) {
      isLive = true;
      if (filter !== undefined && next > 1) await outlet.write(encodeCheckpoint(next - 1));
      await outlet.write(encodeCaughtUp());
      if (!outlet.isOpen) return;
    }
    if (stream !== undefined && page.atEnd && streamStatus(deps.storage, stream) === 'tombstoned') {
      throw streamDeleted(stream);
    }
    // Between this look and the wait nothing else runs, so no commit is missed.
    if (source.newest() < next) await outlet.nextCommit(source.key);
    else await turn();
  }
}

function encode({ position, record }: StoredEvent, { resolveLinks }: ReadRequest, deps: ReadDeps): Buffer {
  if (!resolveLinks || recordType(record) !== linkType) return encodeEvent(position, record);
  return encodeEvent(position, resolveLink(deps, record), record);
}
