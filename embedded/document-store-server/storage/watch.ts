import { documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Filter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import type { Collection } from './catalogue.js';

/**
 * What is written to a collection while a search goes through it outside of transactions. A record that is not in
 * `changed` is as the search saw it, or will see it; of the others, those in `matching` match now, and of those in
 * `failing` it cannot be told: an expression of the filter fails on them. That is the search's fault, not the writer's.
 */
export interface Watch {
  readonly changed: ReadonlySet<number>;
  readonly matching: ReadonlySet<number>;
  readonly failing: ReadonlyMap<number, CommandError>;
  /** Forgets all, because the search begins anew. */
  restart(): void;
  end(): void;
}

/** How a write tells a watch of it. @param document undefined when it was removed */
export type Watcher = (record: number, document: Buffer | undefined) => void;

export function watchChanges(collection: Collection, filter: Filter): Watch {
  const changed = new Set<number>();
  const matching = new Set<number>();
  const failing = new Map<number, CommandError>();
  const watcher: Watcher = (record, document) => {
    changed.add(record);
    matching.delete(record);
    failing.delete(record);
    try {
      if (document !== undefined && matchesFilter(filter, documentValue(document))) matching.add(record);
    } catch (err) {
      if (!(err instanceof CommandError)) throw err;
      failing.set(record, err);
    }
  };
  collection.watchers.add(watcher);
  return {
    changed,
    matching,
    failing,
    restart() {
      changed.clear();
      matching.clear();
      failing.clear();
    },
    end: () => void collection.watchers.delete(watcher),
  };
}
