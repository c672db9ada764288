import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import services, { type StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import messages, { type BatchAppendReq, type BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type CallOptions, type ClientDuplexStream, type Metadata, status } from '@grpc/grpc-js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import timestamp from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { patientTimeout } from '../patient-timeout.js';
import type { ProposedEvent } from './event-log.js';

export type AppendOutcome =
  | { readonly kind: 'appended'; readonly revision: bigint; readonly position: bigint }
  /** `actual` is the stream's last revision, undefined where it does not exist. */
  | { readonly kind: 'conflict'; readonly actual: bigint | undefined }
  | { readonly kind: 'too-large' }
  /** The store will not have it; nothing was written. */
  | { readonly kind: 'refused'; readonly because: string }
  /** It may or may not have been written. */
  | { readonly kind: 'unknown'; readonly because: string; readonly cause?: unknown };

/** Where an append must find the stream; `any` is for side streams alone. */
export type Expected = bigint | 'no-stream' | 'any';

export interface BatchAppender {
  /** Answers within the time-out, whatever the connection does. @throws TypeError for what is not JSON */
  append(stream: string, events: readonly ProposedEvent[], expected: Expected): Promise<AppendOutcome>;
  /** Ends the call; what is in flight is answered as unknown. */
  close(): void;
}

type Duplex = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;

/** What the official client keeps for its own calls: the channel with its credentials, discovery and reconnection. */
interface ClientInside {
  GRPCStreamCreator(
    kind: typeof StreamsClient,
    name: string,
    create: (client: StreamsClient) => Duplex,
  ): () => Promise<Duplex>;
  callArguments(base: object, options: CallOptions): [Metadata, CallOptions];
  handleError(client: StreamsClient, error: Error): Promise<void>;
}

/** One call: appends travel on it side by side, and end with it. */
interface Call {
  readonly opened: Promise<Duplex>;
  readonly waiting: Map<string, (outcome: AppendOutcome) => void>;
  end(because: string, cause?: unknown): void;
  /** Has the next call use a new connection: this one may be dead without anybody having been told. */
  abandonConnection(): void;
}

/** One request to the server may take about this much, whatever an append may. */
const requestBytes = 3 * 1024 * 1024;
const longestAppendBytes = 16 * 1024 * 1024;

/**
 * The store's batch append over the official client's connection. Its own `appendToStream` will not do: it keeps the
 * appends of all clients of a process in one table, so that a call that fails takes healthy ones with it, a late answer
 * throws in an event handler, appends that wait to be written end as unhandled rejections, and none has a time-out.
 */
export function batchAppender(client: EventStoreDBClient, timeoutMs: number): BatchAppender {
  const inside = client as unknown as ClientInside;
  let current: Call | undefined;

  const open = (): Call => {
    const waiting: Call['waiting'] = new Map();
    let over = false;
    let grpc: StreamsClient | undefined;
    const create = (made: StreamsClient): Duplex => {
      grpc = made;
      return made
        .batchAppend(...inside.callArguments({}, { deadline: Number.POSITIVE_INFINITY }))
        .on('data', (answer: BatchAppendResp) => {
          const id = correlationOf(answer);
          const settle = waiting.get(id);
          waiting.delete(id);
          settle?.(outcomeOf(answer));
        })
        .on('error', (error) => call.end('the connection failed', error))
        .on('end', () => call.end('the server ended the call'));
    };
    const call: Call = {
      waiting,
      opened: inside.GRPCStreamCreator(services.StreamsClient, 'batchAppend', create)(),
      end(because, cause) {
        if (over) return;
        over = true;
        if (current === call) current = undefined;
        for (const settle of waiting.values()) settle({ kind: 'unknown', because, cause });
        waiting.clear();
        call.opened.then(
          (duplex) => duplex.cancel(),
          () => {},
        );
      },
      abandonConnection() {
        const silence = Object.assign(new Error('no answer in time'), { code: status.UNAVAILABLE, details: '' });
        if (grpc !== undefined) void inside.handleError(grpc, silence).catch(() => {});
      },
    };
    call.opened.catch((error: unknown) => call.end('the store cannot be reached', error));
    return call;
  };

  return {
    async append(stream, events, expected) {
      const id = randomUUID();
      const requests = requestsOf(id, stream, events, expected, timeoutMs);
      if (requests === undefined) return { kind: 'too-large' };
      current ??= open();
      const call = current;
      return new Promise<AppendOutcome>((resolve) => {
        const timeout = patientTimeout(timeoutMs, () => {
          call.end('no answer in time');
          call.abandonConnection();
        });
        call.waiting.set(id, (outcome) => {
          timeout.clear();
          resolve(outcome);
        });
        call.opened.then(
          (duplex) => {
            // What has been given up is not sent: it could be written long after somebody looked for it.
            if (call.waiting.has(id)) for (const request of requests) duplex.write(request);
          },
          () => {},
        );
      });
    },
    close: () => current?.end('the log is closed'),
  };
}

/** @returns undefined where the append is larger than any store takes */
function requestsOf(
  correlationId: string,
  stream: string,
  events: readonly ProposedEvent[],
  expected: Expected,
  timeoutMs: number,
): BatchAppendReq[] | undefined {
  const start = (): BatchAppendReq => new messages.BatchAppendReq().setCorrelationId(uuidOf(correlationId));
  let request = start().setOptions(optionsOf(stream, expected, timeoutMs));
  const requests = [request];
  let bytes = 0;
  let total = 0;
  for (const event of events) {
    const data = Buffer.from(JSON.stringify(event.data));
    const metadata = Buffer.from(JSON.stringify(event.metadata));
    const message = new messages.BatchAppendReq.ProposedMessage().setId(uuidOf(event.id));
    message.setData(data).setCustomMetadata(metadata);
    message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
    const size = data.length + metadata.length;
    total += size;
    if (bytes > 0 && bytes + size > requestBytes) {
      request = start();
      requests.push(request);
      bytes = 0;
    }
    bytes += size;
    request.addProposedMessages(message);
  }
  request.setIsFinal(true);
  return total > longestAppendBytes ? undefined : requests;
}

function optionsOf(stream: string, expected: Expected, timeoutMs: number): BatchAppendReq.Options {
  const options = new messages.BatchAppendReq.Options()
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)))
    .setDeadline(timestamp.Timestamp.fromDate(new Date(Date.now() + timeoutMs)));
  if (expected === 'any') return options.setAny(new empty.Empty());
  if (expected === 'no-stream') return options.setNoStream(new empty.Empty());
  return options.setStreamPosition(expected.toString());
}

const uuidOf = (text: string) => new shared.UUID().setString(text);

/** Servers answer with the id as text or as two halves. */
function correlationOf(answer: BatchAppendResp): string {
  const id = answer.getCorrelationId();
  const halves = id?.getStructured();
  if (halves === undefined) return id?.getString() ?? '';
  const [high, low] = [halves.getMostSignificantBits(), halves.getLeastSignificantBits()].map((half) =>
    BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0'),
  );
  return `${high}${low}`.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function outcomeOf(answer: BatchAppendResp): AppendOutcome {
  const success = answer.getSuccess();
  if (success !== undefined) {
    const position = success.getPosition()?.getCommitPosition() ?? 0;
    return { kind: 'appended', revision: BigInt(success.getCurrentRevision()), position: BigInt(position) };
  }
  const error = answer.getError();
  const details = error?.getDetails();
  const type = details?.getTypeName();
  const because = `${type ?? 'no detail'}: ${error?.getMessage() ?? ''}`;
  switch (type) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = details?.unpack<InstanceType<typeof shared.WrongExpectedVersion>>(
        (bytes) => shared.WrongExpectedVersion.deserializeBinary(bytes),
        type,
      );
      const known = wrong?.hasCurrentStreamRevision() === true;
      return { kind: 'conflict', actual: known ? BigInt(wrong.getCurrentStreamRevision()) : undefined };
    }
    case 'event_store.client.MaximumAppendSizeExceeded':
      return { kind: 'too-large' };
    case 'event_store.client.AccessDenied':
    case 'event_store.client.StreamDeleted':
      return { kind: 'refused', because };
    default: {
      // A full disk is told so by the embedded store alone, which has written nothing then.
      const code = error?.getCode() as number | undefined;
      const isRefusal = code === status.INVALID_ARGUMENT || code === status.RESOURCE_EXHAUSTED;
      return isRefusal ? { kind: 'refused', because } : { kind: 'unknown', because };
    }
  }
}
