import type * as streamTypes from '@eventstore/db-client/generated/streams_pb.js';
import { type handleClientStreamingCall, type handleUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/logger.js';
import { encodeAppended, encodeDeleted, encodeWrongExpectedVersion } from './answers.js';
import { expectedRevision, GatheredEvents, proposedFields, streamName } from './append-request.js';
import { appendTooLarge, CallError, invalid, streamDeleted, toCallError } from './errors.js';
import type { AppendOutcome } from './expected-revision.js';
import type { OpenCalls } from './open-calls.js';
import type { ProposedEvent } from './record.js';
import { unary } from './unary-call.js';
import type { Writer } from './writer.js';

export interface AppendDeps {
  writer: Writer;
  calls: OpenCalls;
  log: Logger;
  /** bytes of data and metadata that one append may hold, and as many of what else its events cost */
  maxAppendSize: number;
}

export function appendCall(deps: AppendDeps): handleClientStreamingCall<streamTypes.AppendReq, Buffer> {
  return (call, callback) => {
    const answer = once(callback);
    const fail = (err: unknown) => answer(toCallError(err, deps.log));
    let options: streamTypes.AppendReq.Options | undefined;
    const gathered = new GatheredEvents(deps.maxAppendSize);
    let ended = false;
    const refuse = (err: unknown) => {
      ended = true;
      fail(err);
    };
    call.on('data', (request: streamTypes.AppendReq) => {
      if (ended) return;
      try {
        options ??= request.getOptions();
        const message = request.getProposedMessage();
        if (message === undefined) return;
        if (!gathered.add(proposedFields(message))) throw appendTooLarge(deps.maxAppendSize);
      } catch (err) {
        refuse(err);
      }
    });
    call.on('end', () => {
      if (ended) return;
      ended = true;
      deps.calls.track(appendClassic(deps, options, gathered.events).then((bytes) => answer(null, bytes), fail));
    });
    // A caller that goes away before the end has appended nothing.
    call.on('cancelled', () => {
      ended = true;
    });
  };
}

async function appendClassic(
  { writer, calls }: AppendDeps,
  options: streamTypes.AppendReq.Options | undefined,
  events: readonly ProposedEvent[],
): Promise<Buffer> {
  calls.admit();
  if (options === undefined) throw invalid('The append names no stream.');
  const stream = streamName(options.getStreamIdentifier());
  const expected = expectedRevision(options, options.hasRevision(), () => options.getRevision());
  await writer.room();
  const outcome = await writer.append(stream, expected, events);
  if (outcome.kind === 'appended') return encodeAppended(outcome);
  if (outcome.kind === 'stream-deleted') throw streamDeleted(stream);
  return encodeWrongExpectedVersion(outcome);
}

export function deleteCall(
  deps: AppendDeps,
  kind: 'delete' | 'tombstone',
): handleUnaryCall<streamTypes.DeleteReq | streamTypes.TombstoneReq, Buffer> {
  return unary(deps, async (request) => {
    const options = request.getOptions();
    const stream = streamName(options?.getStreamIdentifier());
    const expected =
      options === undefined ? 'any' : expectedRevision(options, options.hasRevision(), () => options.getRevision());
    const outcome = await deps.writer[kind](stream, expected, crypto.randomUUID());
    if (outcome.kind === 'stream-deleted') throw streamDeleted(stream);
    if (outcome.kind === 'wrong-expected-version') throw wrongExpectedVersion(stream, outcome);
    return encodeDeleted(outcome.position ?? 0);
  });
}

function wrongExpectedVersion(
  stream: string,
  { expected, actual }: Extract<AppendOutcome, { kind: 'wrong-expected-version' }>,
): CallError {
  const expectedNumber =
    typeof expected === 'bigint' ? expected : { any: -2, no_stream: -1, stream_exists: -4 }[expected];
  return new CallError(
    status.FAILED_PRECONDITION,
    `Wrong expected version: ${expectedNumber} was expected, stream '${stream}' is at ${actual}.`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expectedNumber),
      ...(actual < 0 ? {} : { 'actual-version': String(actual) }),
    },
  );
}

function once(callback: sendUnaryData<Buffer>): sendUnaryData<Buffer> {
  let answered = false;
  return (...args: Parameters<sendUnaryData<Buffer>>) => {
    if (answered) return;
    answered = true;
    callback(...args);
  };
}
