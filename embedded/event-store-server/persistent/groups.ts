import { subscriptionExists, subscriptionMissing } from '../errors.js';
import { openSource } from '../source.js';
import { Group, type GroupDeps } from './group.js';
import type { GroupSettings } from './group-settings.js';
import {
  forgetGroup,
  type GroupId,
  groupKey,
  loadGroups,
  parkedStream,
  type StoredGroup,
  storeGroup,
} from './stored-group.js';

export interface NewGroup extends GroupId {
  settings: GroupSettings;
  filter: StoredGroup['filter'];
  startFrom: StoredGroup['startFrom'];
}

/** All persistent subscriptions of a store. */
export interface Groups {
  /** @throws CallError when it exists; FilterError */
  create(group: NewGroup): Promise<void>;
  /** Changes settings; consumers are dropped and connect again. @throws CallError when it does not exist */
  update(group: Omit<NewGroup, 'filter'>): Promise<void>;
  /** Forgets it, its progress and its parked events. @throws CallError when it does not exist */
  delete(id: GroupId): Promise<void>;
  /** @throws CallError when it does not exist */
  find(id: GroupId): Group;
  list(): Group[];
  /** Drops all consumers; they connect again and go on where they were. */
  restart(): void;
  /** Stores the progress of all. */
  close(): Promise<void>;
}

/** @throws DamageError */
export function openGroups(deps: GroupDeps): Groups {
  const groups = new Map(loadGroups(deps.storage).map((stored) => [groupKey(stored), new Group(deps, stored)]));

  const find = (id: GroupId): Group => {
    const group = groups.get(groupKey(id));
    if (group === undefined) throw subscriptionMissing(id);
    return group;
  };

  /** "end" is the end as of now, also after a restart: nothing that comes from now on is passed over. */
  const firstOf = ({ stream, startFrom }: Pick<NewGroup, 'stream' | 'startFrom'>): number => {
    if (startFrom === 'end') return openSource(deps, stream).newest() + 1;
    return startFrom === 'start' ? 0 : startFrom;
  };

  return {
    async create(group) {
      const key = groupKey(group);
      if (groups.has(key)) throw subscriptionExists(group);
      const stored: StoredGroup = { ...group, next: firstOf(group), checkpointed: false };
      groups.set(key, new Group(deps, stored));
      try {
        await storeGroup(deps, stored);
      } catch (err) {
        groups.delete(key);
        throw err;
      }
    },

    async update({ settings, startFrom, ...id }) {
      const group = find(id);
      group.drop();
      group.change({ settings, startFrom, next: firstOf({ ...id, startFrom }) });
      await storeGroup(deps, group.stored);
    },

    async delete(id) {
      const group = find(id);
      groups.delete(groupKey(id));
      group.drop();
      await group.close(true);
      await forgetGroup(deps, id);
      await deps.writer.delete(parkedStream(id), 'any', crypto.randomUUID());
    },

    find,
    list: () => [...groups.values()],

    restart() {
      for (const group of groups.values()) group.drop();
    },

    async close() {
      await Promise.all([...groups.values()].map((group) => group.close()));
    },
  };
}
