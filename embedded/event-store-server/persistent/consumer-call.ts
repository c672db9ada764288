import type * as persistentTypes from '@eventstore/db-client/generated/persistent_pb.js';
import type { handleBidiStreamingCall, Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import type { Logger } from '../../../runtime/logger.js';
import { eventId } from '../append-request.js';
import { type CallError, invalid, toCallError, unimplemented } from '../errors.js';
import type { StoreMetrics } from '../metrics.js';
import type { OpenCalls } from '../open-calls.js';
import { messages } from '../protocol.js';
import { idKey } from '../record.js';
import { Consumer, type ConsumerFacts } from './consumer.js';
import type { Group } from './group.js';
import type { Groups } from './groups.js';
import { groupIdOf } from './requests.js';

export interface ConsumerCallDeps {
  groups: Groups;
  calls: OpenCalls;
  metrics: StoreMetrics;
  log: Logger;
  now: () => number;
}

interface Connection {
  group: Group;
  consumer: Consumer;
}

type Call = ServerDuplexStream<persistentTypes.ReadReq, Buffer>;

/** PersistentSubscriptions.Read: the first message names the group, the others answer its events. */
export function consumerCall(deps: ConsumerCallDeps): handleBidiStreamingCall<persistentTypes.ReadReq, Buffer> {
  return (call) => {
    let connection: Connection | undefined;
    let isOver = false;
    const forget = deps.calls.add({ end: (err) => fail(err) });
    const leave = () => {
      if (isOver) return;
      isOver = true;
      forget();
      if (connection === undefined) return;
      deps.metrics.subscribers.dec();
      connection.group.disconnect(connection.consumer);
    };
    const fail = (err: CallError) => {
      if (connection === undefined) call.emit('error', err);
      else connection.consumer.end(err);
    };
    for (const event of ['cancelled', 'error', 'close', 'finish'] as const) call.on(event, leave);
    call.on('end', () => {
      leave();
      if (connection === undefined) call.end();
      else connection.consumer.end(undefined);
    });
    call.on('data', (request: persistentTypes.ReadReq) => {
      // More may come after a refusal; nobody would ever take that consumer out again.
      if (connection === undefined && isOver) return;
      try {
        deps.calls.admit();
        if (connection !== undefined) {
          answer(request, connection);
          return;
        }
        connection = meet(request, call, deps);
        deps.metrics.subscribers.inc();
        // What it is sent at once may end the call already.
        connection.group.connect(connection.consumer);
      } catch (err) {
        fail(toCallError(err, deps.log));
      }
    });
  };
}

/** Finds the group that a call is for. @throws CallError when it is not there, or takes no more */
function meet(request: persistentTypes.ReadReq, call: Call, { groups, metrics, now }: ConsumerCallDeps): Connection {
  const options = request.getOptions();
  if (options === undefined) throw invalid('The first message to a persistent subscription has to name it.');
  if (options.getUuidOption()?.hasStructured()) throw unimplemented('Event ids are served as strings only.');
  const id = groupIdOf(options);
  const group = groups.find(id);
  group.admit();
  metrics.reads.inc({ kind: id.stream === undefined ? 'all-persistent' : 'stream-persistent' });
  return { group, consumer: new Consumer(call, factsOf(call, Math.max(1, options.getBufferSize())), now) };
}

function answer(request: persistentTypes.ReadReq, { group, consumer }: Connection): void {
  const [ack, nack] = [request.getAck(), request.getNack()];
  const ids = (ack ?? nack)?.getIdsList().map((id) => idKey(eventId(id)));
  if (ids === undefined) throw invalid('A consumer answers with an acknowledgement or the opposite of one.');
  if (nack === undefined) {
    group.acknowledge(consumer, ids);
    return;
  }
  const { PARK, RETRY, SKIP, STOP, UNKNOWN } = messages.persistent.ReadReq.Nack.Action;
  switch (nack.getAction()) {
    case PARK:
      group.park(consumer, ids, nack.getReason());
      break;
    case SKIP:
    case STOP:
      // EventStoreDB makes no difference between the two either.
      group.acknowledge(consumer, ids);
      break;
    case RETRY:
    case UNKNOWN:
      group.retry(consumer, ids, nack.getReason());
      break;
  }
}

function factsOf(call: Call, bufferSize: number): ConsumerFacts {
  return {
    from: call.getPeer(),
    username: userOf(call.metadata),
    connectionName: String(call.metadata.get('connection-name')[0] ?? ''),
    bufferSize,
  };
}

/** Whom the caller says it is; whether it is, has been checked before, where a password is set. */
function userOf(metadata: Metadata): string {
  const [, encoded] = /^Basic (.+)$/.exec(String(metadata.get('authorization')[0] ?? '')) ?? [];
  const user = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':')[0];
  return user === undefined || user === '' ? 'anonymous' : user;
}
