import type * as persistentTypes from '@eventstore/db-client/generated/persistent_pb.js';
import { messages } from '../protocol.js';
import type { Consumer } from './consumer.js';
import type { Group } from './group.js';
import { type StoredGroup, sourceName } from './stored-group.js';

/** What a group is, how far it has come and who is connected, as EventStoreDB tells it. */
export function groupInfo(group: Group): persistentTypes.SubscriptionInfo {
  const { stored, meter, waiting } = group;
  const { settings, next, checkpointed } = stored;
  const newest = group.newest();
  const info = new messages.persistent.SubscriptionInfo();
  info.setEventSource(sourceName(stored));
  info.setGroupName(stored.group);
  info.setStatus(group.isLive ? 'Live' : 'Behind');
  info.setConnectionsList(group.consumers.map(connectionInfo));

  info.setAveragePerSecond(meter.perSecond);
  info.setTotalItems(String(meter.total));
  info.setCountSinceLastMeasurement(String(meter.sinceSecond));
  if (checkpointed && next > 0) info.setLastCheckpointedEventPosition(place(stored, next - 1));
  if (newest >= (stored.stream === undefined ? 1 : 0)) info.setLastKnownEventPosition(place(stored, newest));
  info.setReadBufferCount(waiting.read);
  info.setLiveBufferCount('0');
  info.setRetryBufferCount(waiting.retry);
  info.setTotalInFlightMessages(waiting.inFlight);
  info.setOutstandingMessagesCount(waiting.outstanding);
  info.setParkedMessageCount(String(group.parked.count()));

  info.setStartFrom(place(stored, { start: 0, end: -1 }[stored.startFrom] ?? Number(stored.startFrom)));
  info.setResolveLinkTos(settings.resolveLinks);
  info.setExtraStatistics(settings.extraStatistics);
  info.setMessageTimeoutMilliseconds(settings.messageTimeoutMs);
  info.setMaxRetryCount(settings.maxRetryCount);
  info.setLiveBufferSize(settings.liveBufferSize);
  info.setBufferSize(settings.historyBufferSize);
  info.setReadBatchSize(settings.readBatchSize);
  info.setCheckPointAfterMilliseconds(settings.checkpointAfterMs);
  info.setMinCheckPointCount(settings.minCheckpointCount);
  info.setMaxCheckPointCount(settings.maxCheckpointCount);
  info.setNamedConsumerStrategy(settings.strategy);
  info.setMaxSubscriberCount(settings.maxSubscriberCount);
  return info;
}

/** A revision as it is, a position as clients parse it. */
const place = ({ stream }: StoredGroup, at: number): string => (stream === undefined ? `C:${at}/P:${at}` : String(at));

function connectionInfo(consumer: Consumer): persistentTypes.SubscriptionInfo.ConnectionInfo {
  const { facts, meter, inFlight, window, latencies } = consumer;
  const info = new messages.persistent.SubscriptionInfo.ConnectionInfo();
  info.setFrom(facts.from);
  info.setUsername(facts.username);
  info.setConnectionName(facts.connectionName);
  info.setAverageItemsPerSecond(meter.perSecond);
  info.setTotalItems(String(meter.total));
  info.setCountSinceLastMeasurement(String(meter.sinceSecond));
  info.setAvailableSlots(Math.max(0, window - inFlight));
  info.setInFlightMessages(inFlight);
  for (const [key, value] of latencies?.measurements() ?? []) {
    const measurement = new messages.persistent.SubscriptionInfo.Measurement();
    measurement.setKey(key);
    measurement.setValue(String(value));
    info.addObservedMeasurements(measurement);
  }
  return info;
}
