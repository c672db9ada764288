import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers';
import { NoRoomError } from '../../disk-room.js';
import type { CallError } from '../errors.js';
import { positionKey } from '../keys.js';
import { messages } from '../protocol.js';
import { idKey } from '../record.js';
import type { Parts } from '../store-fixture.js';
import { Consumer } from './consumer.js';
import { Group } from './group.js';
import type { GroupSettings } from './group-settings.js';
import type { StoredGroup } from './stored-group.js';

/** Shared by the specs of this folder. */
export const settings: GroupSettings = {
  resolveLinks: false,
  extraStatistics: false,
  maxRetryCount: 2,
  minCheckpointCount: 1,
  maxCheckpointCount: 5,
  maxSubscriberCount: 0,
  liveBufferSize: 20,
  readBatchSize: 7,
  historyBufferSize: 20,
  messageTimeoutMs: 0,
  checkpointAfterMs: 0,
  strategy: 'RoundRobin',
};

export type Listening = ReturnType<typeof listening>;

/** A consumer whose call is a list: what it was sent, by event id, and with what it was ended. */
export function listening(bufferSize: number) {
  const sent: { id: string; type: string; stream: string; retries: number }[] = [];
  const ended: (CallError | undefined)[] = [];
  const call = {
    write(bytes: Buffer, written?: () => void) {
      if (written !== undefined) setImmediate(written);
      const event = messages.persistent.ReadResp.deserializeBinary(bytes).getEvent();
      if (event === undefined) return true;
      const record = event.getEvent();
      const named = event.getLink() ?? record;
      sent.push({
        id: idKey(named?.getId()?.getString() ?? ''),
        type: record?.getMetadataMap().get('type') ?? '',
        stream: Buffer.from(record?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(),
        retries: event.getRetryCount(),
      });
      return true;
    },
    end: () => ended.push(undefined),
    emit: (_: string, err: CallError) => ended.push(err),
  };
  const facts = { from: 'test', username: 'anonymous', connectionName: '', bufferSize };
  const consumer = new Consumer(call as unknown as ConstructorParameters<typeof Consumer>[0], facts, Date.now);
  return {
    consumer,
    call,
    sent,
    ended,
    types: () => sent.map(({ type }) => type),
    ids: () => sent.map(({ id }) => id),
    /** ids of what it has not answered, in the order it came */
    held: () => consumer.unansweredSince(Number.POSITIVE_INFINITY),
  };
}

export const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, n) => String(from + n));

/** Appends events of these types. */
export const append = ({ writer }: Parts, types: readonly string[], stream = 's', data = '{}', type?: string) =>
  writer.append(
    stream,
    'any',
    types.map((each) => ({
      id: randomUUID(),
      type: type ?? each,
      isJson: type === undefined,
      data: Buffer.from(type === undefined ? data : each),
      customMetadata: Buffer.alloc(0),
    })),
  );

/** A group that nothing knows of but the spec. */
export const newGroup = (
  deps: Parts,
  changes: Partial<GroupSettings> = {},
  { stream }: Pick<StoredGroup, 'stream'> = { stream: 's' },
) =>
  new Group(deps, {
    stream,
    group: 'g',
    settings: { ...settings, ...changes },
    filter: undefined,
    startFrom: 'start',
    next: 0,
    checkpointed: false,
  });

/** Changes a stored event behind the store's back. */
export function damage({ storage }: Parts, position: number): void {
  const record = Buffer.from(storage.log.get(positionKey(position)) ?? []);
  record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
  storage.log.putSync(positionKey(position), record);
}

/** The store's parts with a disk that is full for groups, and not for the writer. */
export const withoutRoom = (deps: Parts): Parts => ({
  ...deps,
  room: { ...deps.room, using: () => Promise.reject(new NoRoomError(1)) },
});

/** Lets what is due in this turn of the event loop, and in the next, happen. */
export async function turns(): Promise<void> {
  for (let n = 0; n < 3; n += 1) await new Promise((resolve) => setImmediate(resolve));
}
