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

/** All persistent subscriptions of a store. Creating, changing and deleting one of them wait for each other. */
export interface Groups {
  /** @throws CallError when it exists; FilterError; NoRoomError */
  create(group: NewGroup): Promise<void>;
  /** Changes settings; consumers are dropped and connect again. @throws CallError when it does not exist; NoRoomError */
  update(group: Omit<NewGroup, 'filter'>): Promise<void>;
  /**
   * Forgets it, its progress and its parked events.
   *
   * @throws CallError when it does not exist; NoRoomError and others, and the group is still there
   */
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
  const changing = new Map<string, Promise<void>>();

  /** Runs a change when those of the same group before it are through. */
  const inTurn = (id: GroupId, change: (key: string) => Promise<void>): Promise<void> => {
    const key = groupKey(id);
    const turn = (changing.get(key) ?? Promise.resolve()).then(() => change(key));
    const over = turn.then(
      () => {},
      () => {},
    );
    changing.set(key, over);
    void over.then(() => {
      if (changing.get(key) === over) changing.delete(key);
    });
    return turn;
  };

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
    create: (group) =>
      inTurn(group, async (key) => {
        if (groups.has(key)) throw subscriptionExists(group);
        const created = new Group(deps, { ...group, next: firstOf(group), checkpointed: false });
        await storeGroup(deps, created.stored);
        groups.set(key, created);
      }),

    update: ({ settings, startFrom, ...id }) =>
      inTurn(id, async () => {
        const group = find(id);
        await storeGroup(deps, group.stored, () => {
          const next = firstOf({ ...id, startFrom });
          group.drop();
          group.change({ settings, startFrom, next });
        });
      }),

    delete: (id) =>
      inTurn(id, async (key) => {
        const group = find(id);
        groups.delete(key);
        group.drop();
        try {
          await group.close();
          await deps.writer.delete(parkedStream(id), 'any', crypto.randomUUID());
          await forgetGroup(deps, id);
        } catch (err) {
          groups.set(key, new Group(deps, group.stored));
          throw err;
        }
      }),

    find,
    list: () => [...groups.values()],

    restart() {
      for (const group of groups.values()) group.drop();
    },

    async close() {
      while (changing.size > 0) await Promise.all(changing.values());
      await Promise.all([...groups.values()].map((group) => group.close()));
    },
  };
}
