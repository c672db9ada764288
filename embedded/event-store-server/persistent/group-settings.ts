import type * as persistentTypes from '@eventstore/db-client/generated/persistent_pb.js';
import { z } from 'zod';
import { invalid } from '../errors.js';

const strategies = ['DispatchToSingle', 'RoundRobin', 'Pinned', 'PinnedByCorrelation'] as const;

/** How a message finds its consumer. */
export type Strategy = (typeof strategies)[number];

const count = z.int().min(0).max(2_147_483_647);

/** What a request may ask for, by EventStoreDB's meaning of each. What is stored is `stored-group.ts`. */
const groupSettings = z.strictObject({
  resolveLinks: z.boolean(),
  extraStatistics: z.boolean(),
  /** how often an event is tried again before it is parked */
  maxRetryCount: count,
  /** after how many handled events progress may be, and must be, stored */
  minCheckpointCount: count,
  maxCheckpointCount: count,
  /** 0: any number */
  maxSubscriberCount: count,
  /** told back and otherwise unused: what is new is read from where everything is read */
  liveBufferSize: count,
  readBatchSize: count.min(1),
  /** how many events may be read that no consumer has had */
  historyBufferSize: count.min(1),
  /** how long a consumer may keep an event before it is tried again; 0: for ever */
  messageTimeoutMs: count,
  checkpointAfterMs: count,
  strategy: z.enum(strategies),
});

export type GroupSettings = z.output<typeof groupSettings>;

const ticksPerMs = 10_000;

/** @throws CallError naming the setting that cannot be */
export function parseSettings(
  settings: persistentTypes.CreateReq.Settings | persistentTypes.UpdateReq.Settings | undefined,
): GroupSettings {
  if (settings === undefined) throw invalid('The persistent subscription comes without settings.');
  const named = 'getConsumerStrategy' in settings ? settings.getConsumerStrategy() : '';
  const parsed = groupSettings.safeParse({
    resolveLinks: settings.getResolveLinks(),
    extraStatistics: settings.getExtraStatistics(),
    maxRetryCount: settings.getMaxRetryCount(),
    minCheckpointCount: settings.getMinCheckpointCount(),
    maxCheckpointCount: settings.getMaxCheckpointCount(),
    maxSubscriberCount: settings.getMaxSubscriberCount(),
    liveBufferSize: settings.getLiveBufferSize(),
    readBatchSize: settings.getReadBatchSize(),
    historyBufferSize: settings.getHistoryBufferSize(),
    messageTimeoutMs: settings.hasMessageTimeoutTicks()
      ? Math.floor(Number(settings.getMessageTimeoutTicks()) / ticksPerMs)
      : settings.getMessageTimeoutMs(),
    checkpointAfterMs: settings.hasCheckpointAfterTicks()
      ? Math.floor(Number(settings.getCheckpointAfterTicks()) / ticksPerMs)
      : settings.getCheckpointAfterMs(),
    // The generated enum counts in this order; PinnedByCorrelation comes by name only.
    strategy: named === '' ? strategies[settings.getNamedConsumerStrategy()] : named,
  });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw invalid(`The persistent subscription's settings are not usable: ${faults.join('; ')}.`);
}
