import { type handleBidiStreamingCall, status } from '@grpc/grpc-js';
import {
  type BatchRefusal,
  encodeBatchAppended,
  encodeBatchRefusal,
  plainRefusal,
  streamDeletedRefusal,
  tooLargeRefusal,
  wrongExpectedVersionRefusal,
} from './answers.js';
import type { AppendDeps } from './append-calls.js';
import { checkedName, checkedRevision, GatheredEvents, longestName, type ProposedFields } from './append-request.js';
import type { BatchRequest } from './batch-request.js';
import { CallError, invalid, toCallError } from './errors.js';
import type { AppendOutcome, Expected } from './expected-revision.js';

/** What one batch append call may have received without having sent the last part of. */
const unfinishedBytes = 64 * 1024 * 1024;
/** How long a batch append call has to be silent to count as idle. */
const idleMs = 250;
const unfinishedAppends = 10_000;
/** A UUID takes a fifth of it. */
const longestCorrelation = 256;
const unreadAnswers = 2_000;

/** One append in the making: its parts arrive under one correlation id, between those of others. */
interface Unfinished {
  correlationId: Buffer;
  streamName: Buffer;
  stream: string;
  expected: Expected;
  gathered: GatheredEvents;
  /** bytes that it keeps in memory */
  held: number;
  refusal: BatchRefusal | undefined;
}

export function batchAppendCall(deps: AppendDeps): handleBidiStreamingCall<BatchRequest, Buffer> {
  return (call) => {
    const unfinished = new Map<string, Unfinished>();
    let lastUsed = 0;
    const over = deps.calls.add({
      end(err) {
        // The official client rejects appends of all its instances when one such call fails, so an idle one ends in
        // order. A busy one has to fail: what its client sent a moment ago would wait for an answer for ever.
        if (Date.now() - lastUsed > idleMs) call.end();
        else call.emit('error', err);
      },
    });
    let open = true;
    let heldBytes = 0;
    let inFlight = 0;
    let ending = false;
    const close = () => {
      open = false;
      over();
    };
    call.on('cancelled', close);
    call.on('error', close);

    const send = (bytes: Buffer) => {
      inFlight -= 1;
      if (!open) return;
      call.write(bytes);
      // A caller that appends and does not read its answers is slowed down.
      if (call.writableLength > unreadAnswers && !call.isPaused()) {
        call.pause();
        call.once('drain', () => call.resume());
      }
      if (ending && inFlight === 0) call.end();
    };

    const finish = async (part: Unfinished): Promise<Buffer> => {
      if (part.refusal !== undefined) return encodeBatchRefusal(part.correlationId, part.streamName, part.refusal);
      try {
        const outcome = await deps.writer.append(part.stream, part.expected, part.gathered.events);
        return outcome.kind === 'appended'
          ? encodeBatchAppended(part.correlationId, part.streamName, outcome)
          : encodeBatchRefusal(part.correlationId, part.streamName, batchRefusal(part.stream, outcome));
      } catch (err) {
        return encodeBatchRefusal(part.correlationId, part.streamName, refusalOf(err, deps));
      }
    };

    call.on('data', (request: BatchRequest) => {
      if (!open) return;
      lastUsed = Date.now();
      try {
        deps.calls.admit();
      } catch (err) {
        call.emit('error', err);
        return;
      }
      const { correlation } = request;
      if (correlation === undefined) {
        call.emit('error', invalid('A batch append carries no correlation id.'));
        return;
      }
      const { message, key } = correlation;
      if (message.length > longestCorrelation) {
        call.emit('error', invalid('The correlation id of a batch append is not a UUID.'));
        return;
      }
      let part = unfinished.get(key);
      if (part === undefined) {
        part = startPart(request, Buffer.from(message), deps);
        unfinished.set(key, part);
      }
      heldBytes -= part.held;
      takeEvents(part, request.proposed, deps);
      part.held = heldBy(part);
      heldBytes += part.held;
      if (heldBytes > unfinishedBytes || unfinished.size > unfinishedAppends) {
        call.emit('error', new CallError(status.RESOURCE_EXHAUSTED, 'Too many unfinished batch appends.'));
        return;
      }
      if (!request.isFinal) return;
      unfinished.delete(key);
      heldBytes -= part.held;
      inFlight += 1;
      deps.calls.track(finish(part).then(send));
      const room = deps.writer.room();
      if (room === undefined) return;
      call.pause();
      void room.then(() => call.resume());
    });
    call.on('end', () => {
      ending = true;
      if (inFlight === 0) call.end();
    });
    call.on('finish', close);
  };
}

function startPart({ options }: BatchRequest, correlationId: Buffer, deps: AppendDeps): Unfinished {
  const part: Unfinished = {
    correlationId,
    // A name that is too long is refused, and not repeated.
    streamName: Buffer.from(options?.streamName.subarray(0, longestName) ?? []),
    stream: '',
    expected: 'any',
    gathered: new GatheredEvents(deps.maxAppendSize),
    held: 0,
    refusal: undefined,
  };
  try {
    if (options === undefined) throw invalid('The first part of a batch append carries no options.');
    part.stream = checkedName(options.streamName);
    part.expected = checkedRevision(options.expected);
  } catch (err) {
    part.refusal = refusalOf(err, deps);
  }
  return part;
}

function takeEvents(part: Unfinished, proposed: readonly ProposedFields[], deps: AppendDeps): void {
  try {
    for (const fields of proposed) {
      if (part.refusal !== undefined) return;
      if (!part.gathered.add(fields)) part.refusal = tooLargeRefusal(deps.maxAppendSize);
    }
  } catch (err) {
    part.refusal = refusalOf(err, deps);
  } finally {
    if (part.refusal !== undefined) part.gathered.events = [];
  }
}

const heldBy = ({ correlationId, streamName, refusal, gathered }: Unfinished): number =>
  correlationId.length + streamName.length + (refusal === undefined ? gathered.held : 0);

function batchRefusal(stream: string, outcome: Exclude<AppendOutcome, { kind: 'appended' }>): BatchRefusal {
  return outcome.kind === 'stream-deleted' ? streamDeletedRefusal(stream) : wrongExpectedVersionRefusal(outcome);
}

function refusalOf(err: unknown, { log }: AppendDeps): BatchRefusal {
  const { code, details } = toCallError(err, log);
  return plainRefusal(code, details);
}
