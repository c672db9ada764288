import type * as persistentTypes from '@eventstore/db-client/generated/persistent_pb.js';
import type * as sharedTypes from '@eventstore/db-client/generated/shared_pb.js';
import { streamName } from '../append-request.js';
import { invalid } from '../errors.js';
import { allStart, parseFilterSpec, safeNumber } from '../read-request.js';
import { parseSettings } from './group-settings.js';
import type { NewGroup } from './groups.js';
import type { GroupId, StoredGroup } from './stored-group.js';

interface Named {
  hasAll(): boolean;
  getStreamIdentifier(): sharedTypes.StreamIdentifier | undefined;
  getGroupName(): string;
}

const longestName = 1_000;

/** @throws CallError when the request names no group, or no source */
export function groupIdOf(options: Named | undefined): GroupId {
  const group = options?.getGroupName() ?? '';
  if (options === undefined || group === '') throw invalid('The call names no persistent subscription.');
  if (group.length > longestName) throw invalid(`A group's name has at most ${longestName} characters.`);
  if (!group.isWellFormed()) throw invalid("A group's name has to be UTF-8.");
  return { stream: options.hasAll() ? undefined : streamName(options.getStreamIdentifier()), group };
}

type ChangeOptions = persistentTypes.CreateReq.Options | persistentTypes.UpdateReq.Options;

/** @throws CallError for what cannot be a persistent subscription */
export function newGroupOf(options: persistentTypes.CreateReq.Options | undefined): NewGroup {
  const filter = options?.getAll()?.getFilter();
  const group = options?.getGroupName() ?? '';
  if (group.startsWith(':') || group.includes('::')) {
    // Streams and groups of different names would share a parked stream.
    throw invalid('A group\'s name must not begin with ":" or hold "::".');
  }
  return { ...changedGroupOf(options), filter: filter === undefined ? undefined : parseFilterSpec(filter) };
}

/** @throws CallError as above */
export function changedGroupOf(options: ChangeOptions | undefined): Omit<NewGroup, 'filter'> {
  if (options === undefined) throw invalid('The call names no persistent subscription.');
  const named = options.getStream()?.getStreamIdentifier() ?? options.getStreamIdentifier();
  const id = groupIdOf({
    hasAll: () => options.hasAll(),
    getStreamIdentifier: () => named,
    getGroupName: () => options.getGroupName(),
  });
  return { ...id, settings: parseSettings(options.getSettings()), startFrom: startOf(options) };
}

const largestRevision = '18446744073709551615';

function startOf(options: ChangeOptions): StoredGroup['startFrom'] {
  const all = options.getAll();
  if (all !== undefined) return allStart(all);
  const stream = options.getStream();
  if (stream?.hasStart()) return 'start';
  if (stream?.hasEnd()) return 'end';
  // The official client says it in the settings, as servers before 21.10 wanted it.
  const revision = stream?.hasRevision() ? stream.getRevision() : (options.getSettings()?.getRevision() ?? '0');
  if (BigInt(revision) === BigInt(largestRevision)) return 'end';
  return revision === '0' ? 'start' : safeNumber(revision);
}
