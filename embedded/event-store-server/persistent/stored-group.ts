import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { type DiskRoom, smallWrite } from '../../disk-room.js';
import { durable } from '../commit.js';
import type { FilterSpec } from '../filter.js';
import { nameKey } from '../keys.js';
import { DamageError } from '../record.js';
import type { Storage } from '../storage.js';
import type { GroupSettings } from './group-settings.js';

/** Which persistent subscription: a group on a stream, or on the whole log where `stream` is undefined. */
export interface GroupId {
  stream: string | undefined;
  group: string;
}

/** The stream as events, errors and figures name it. */
export const sourceName = ({ stream }: GroupId): string => stream ?? '$all';

/** Where the events lie that the group gave up on: an ordinary stream of links. */
export const parkedStream = (id: GroupId): string => `$persistentsubscription-${sourceName(id)}::${id.group}-parked`;

const count = z.int().min(0);

/*
 * STORED FORMAT, version 2. A value of the `subscriptions` table: u32 crc32 over key and rest, then JSON of this shape.
 * The key is `nameKey` of the JSON of [stream or null, group]. It takes whatever requests were ever allowed to say:
 * `group-settings.ts` may become stricter, this may not.
 */
const storedGroup = z.strictObject({
  stream: z.string().nullable(),
  group: z.string(),
  settings: z.strictObject({
    resolveLinks: z.boolean(),
    extraStatistics: z.boolean(),
    maxRetryCount: count,
    minCheckpointCount: count,
    maxCheckpointCount: count,
    maxSubscriberCount: count,
    liveBufferSize: count,
    readBatchSize: count.min(1),
    historyBufferSize: count.min(1),
    messageTimeoutMs: count,
    checkpointAfterMs: count,
    strategy: z.enum(['DispatchToSingle', 'RoundRobin', 'Pinned', 'PinnedByCorrelation']),
  }) satisfies z.ZodType<GroupSettings>,
  filter: z
    .strictObject({ on: z.enum(['stream', 'type']), prefixes: z.array(z.string()), regex: z.string() })
    .nullable(),
  /** where it was asked to start, a revision or position included */
  startFrom: z.union([z.literal('start'), z.literal('end'), count]),
  /** the first revision or position that may not have been handled */
  next: count,
  /** whether progress was ever stored; until then `next` follows from `startFrom` */
  checkpointed: z.boolean(),
});

export interface StoredGroup extends GroupId, Omit<z.output<typeof storedGroup>, 'stream' | 'group' | 'filter'> {
  filter: FilterSpec | undefined;
}

export const groupKey = ({ stream, group }: GroupId): string => JSON.stringify([stream ?? null, group]);

/** @returns every persistent subscription, in no particular order @throws DamageError */
export function loadGroups(storage: Storage): StoredGroup[] {
  return [...storage.subscriptions.getRange({})].map(({ key, value }) => decode(key, value));
}

interface GroupStorage {
  storage: Storage;
  room: DiskRoom;
}

/** More than new settings and a new place can add to a group's value. */
const allowance = 2_000;

/**
 * Durable when it resolves.
 *
 * @param change what is to be changed before, once there is room on the disk for it: nothing comes between this and the
 * write, so that a later state is never overwritten by an earlier one
 * @throws NoRoomError, and nothing was changed
 */
export async function storeGroup(
  { storage, room }: GroupStorage,
  group: StoredGroup,
  change: () => void = () => {},
): Promise<void> {
  await room.using(smallWrite + 2 * (encode(group).value.length + allowance), async () => {
    change();
    const { key, value } = encode(group);
    await durable(storage.subscriptions.put(key, value));
  });
}

/** Durable when it resolves. @throws NoRoomError */
export async function forgetGroup({ storage, room }: GroupStorage, id: GroupId): Promise<void> {
  await room.using(smallWrite, () => durable(storage.subscriptions.remove(nameKey(groupKey(id)))));
}

function encode(group: StoredGroup): { key: Buffer; value: Buffer } {
  const { stream, filter, ...rest } = group;
  const json = Buffer.from(JSON.stringify({ stream: stream ?? null, filter: filter ?? null, ...rest }));
  const key = nameKey(groupKey(group));
  const value = Buffer.alloc(4 + json.length);
  value.set(json, 4);
  value.writeUInt32BE(crc32(json, crc32(key)), 0);
  return { key, value };
}

function decode(key: Buffer, value: Buffer): StoredGroup {
  const json = value.subarray(4);
  if (value.length < 4 || value.readUInt32BE(0) !== crc32(json, crc32(key))) {
    throw new DamageError(-1, '?', -1, 'a persistent subscription does not match its checksum');
  }
  const { stream, filter, ...rest } = storedGroup.parse(JSON.parse(json.toString('utf8')));
  return { stream: stream ?? undefined, filter: filter ?? undefined, ...rest };
}
