import {
  type END,
  type EventStoreDBClient,
  type Filter,
  type PersistentSubscriptionToAllInfo,
  type PersistentSubscriptionToAllResolvedEvent,
  type PersistentSubscriptionToAllSettings,
  type PersistentSubscriptionToStreamInfo,
  type PersistentSubscriptionToStreamResolvedEvent,
  type PersistentSubscriptionToStreamSettings,
  type Position,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { eventually } from '../../support/eventually.js';

/** What a group of either kind is given. */
export type Delivery = PersistentSubscriptionToStreamResolvedEvent | PersistentSubscriptionToAllResolvedEvent;
export type Settings = Partial<Omit<PersistentSubscriptionToStreamSettings, 'startFrom'>> & {
  startFrom?: typeof START | typeof END;
};

/** The calls of one group, which follows a stream, or `$all` with a filter that lets only this stream through. */
export interface Group {
  stream: string;
  name: string;
  /** what the store calls its source: the stream, or `$all` */
  source: string;
  /** the stream of links to what was parked */
  parkedStream: string;
  create(settings?: Settings): Promise<void>;
  update(settings?: Settings): Promise<void>;
  delete(): Promise<void>;
  info(): Promise<PersistentSubscriptionToStreamInfo | PersistentSubscriptionToAllInfo>;
  replayParked(stopAt?: number): Promise<void>;
  /** A consumer, on another client if one is given. */
  consume(handle?: Handler, options?: { bufferSize?: number; client?: EventStoreDBClient }): Consumer;
}

export const groupKinds = [
  { kind: 'a stream', open: streamGroup },
  { kind: '$all', open: allGroup },
] as const;

type Asking = () => EventStoreDBClient;

function streamGroup(client: Asking, stream: string, name: string): Group {
  const settingsOf = (settings: Settings = {}) =>
    persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, ...settings });
  return {
    stream,
    name,
    source: stream,
    parkedStream: `$persistentsubscription-${stream}::${name}-parked`,
    create: (settings) => client().createPersistentSubscriptionToStream(stream, name, settingsOf(settings)),
    update: (settings) => client().updatePersistentSubscriptionToStream(stream, name, settingsOf(settings)),
    delete: () => client().deletePersistentSubscriptionToStream(stream, name),
    info: () => client().getPersistentSubscriptionToStreamInfo(stream, name),
    replayParked: (stopAt) =>
      client().replayParkedMessagesToStream(stream, name, stopAt === undefined ? {} : { stopAt }),
    consume: (handle, { bufferSize = 10, client: own = client() } = {}) =>
      startConsumer(own.subscribeToPersistentSubscriptionToStream(stream, name, { bufferSize }), handle),
  };
}

function allGroup(client: Asking, stream: string, name: string): Group {
  return groupToAll(client, stream, name, { filter: streamNameFilter({ prefixes: [stream] }) }, START);
}

/** A group to `$all` without a filter, which begins at a position, because others write too. */
export function unfilteredGroup(client: Asking, stream: string, name: string, from: Position): Group {
  return groupToAll(client, stream, name, {}, from);
}

function groupToAll(
  client: Asking,
  stream: string,
  name: string,
  options: { filter?: Filter },
  from: PersistentSubscriptionToAllSettings['startFrom'],
): Group {
  const settingsOf = (settings: Settings = {}): PersistentSubscriptionToAllSettings =>
    persistentSubscriptionToAllSettingsFromDefaults({ startFrom: from, ...settings });
  return {
    stream,
    name,
    source: '$all',
    parkedStream: `$persistentsubscription-$all::${name}-parked`,
    create: (settings) => client().createPersistentSubscriptionToAll(name, settingsOf(settings), options),
    update: (settings) => client().updatePersistentSubscriptionToAll(name, settingsOf(settings)),
    delete: () => client().deletePersistentSubscriptionToAll(name),
    info: () => client().getPersistentSubscriptionToAllInfo(name),
    replayParked: (stopAt) => client().replayParkedMessagesToAll(name, stopAt === undefined ? {} : { stopAt }),
    consume: (handle, { bufferSize = 10, client: own = client() } = {}) =>
      startConsumer(own.subscribeToPersistentSubscriptionToAll(name, { bufferSize }), handle),
  };
}

/** The half of the client's persistent subscription that consumers use. */
export interface Channel extends AsyncIterable<Delivery> {
  ack(...events: Delivery[]): Promise<void>;
  nack(action: 'park' | 'retry' | 'skip' | 'stop', reason: string, ...events: Delivery[]): Promise<void>;
  unsubscribe(): Promise<void>;
  once(event: 'confirmation', listener: () => void): unknown;
}

export type Handler = (delivery: Delivery, channel: Channel, nth: number) => Promise<void> | void;

export interface Consumer {
  readonly channel: Channel;
  /** in the order of their arrival */
  readonly received: Delivery[];
  /** whether the store took this consumer */
  readonly ready: Promise<boolean>;
  /** resolves with the error that ended it, or undefined */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export const ackAll: Handler = (delivery, channel) => channel.ack(delivery);
/** Takes and never answers. */
export const keepAll: Handler = () => undefined;

/** Hands every event to the handler, one after the other. */
export function startConsumer(subscription: unknown, handle: Handler = ackAll): Consumer {
  const channel = subscription as Channel;
  const received: Delivery[] = [];
  const follow = async (): Promise<unknown> => {
    try {
      for await (const delivery of channel) {
        received.push(delivery);
        await handle(delivery, channel, received.length);
      }
      return undefined;
    } catch (err) {
      return err;
    }
  };
  const ended = follow();
  const ready = new Promise<boolean>((resolve) => {
    channel.once('confirmation', () => resolve(true));
    void ended.then(() => resolve(false));
  });
  return {
    channel,
    received,
    ready,
    ended,
    async stop() {
      await channel.unsubscribe();
      await ended;
    },
  };
}

export const typeOf = ({ event }: Delivery): string => event?.type ?? '(none)';
export const idOf = ({ event }: Delivery): string => event?.id ?? '(none)';
/** The revision or commit position up to which the group is done, as the store last wrote it down. */
export function checkpointOf(info: PersistentSubscriptionToStreamInfo | PersistentSubscriptionToAllInfo) {
  const { stats } = info;
  return 'lastCheckpointedEventRevision' in stats
    ? stats.lastCheckpointedEventRevision
    : 'lastCheckpointedEventPosition' in stats
      ? stats.lastCheckpointedEventPosition?.commit
      : undefined;
}
/** The revision or commit position of the newest event that the group knows of. */
export function lastKnownOf(info: PersistentSubscriptionToStreamInfo | PersistentSubscriptionToAllInfo) {
  const { stats } = info;
  return 'lastKnownEventRevision' in stats
    ? stats.lastKnownEventRevision
    : 'lastKnownEventPosition' in stats
      ? stats.lastKnownEventPosition?.commit
      : undefined;
}

/** Answers what has this type by a nack, the rest by an ack. */
export const nacking =
  (action: 'park' | 'retry' | 'skip' | 'stop', type: string, times = Number.POSITIVE_INFINITY): Handler =>
  (delivery, channel) =>
    typeOf(delivery) === type && delivery.retryCount < times
      ? channel.nack(action, `because it is ${type}`, delivery)
      : channel.ack(delivery);

/** How often each delivery of this type had been retried, in the order of their arrival. */
export const retriesOf = ({ received }: Consumer, type: string): number[] =>
  received.filter((delivery) => typeOf(delivery) === type).map(({ retryCount }) => retryCount);

/** Waits until the group waits for no answer. */
export const settled = (group: Group): Promise<unknown> =>
  eventually('nothing to be outstanding', async () => (await group.info()).stats.outstandingMessagesCount === 0);

/** Waits until so many are parked. */
export const isParked = (group: Group, count: number): Promise<unknown> =>
  eventually(`${count} to be parked`, async () => (await group.info()).stats.parkedMessageCount === BigInt(count));
