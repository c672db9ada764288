import { documentValue } from '../bson/value.js';
import type { Filter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import type { Collection } from './catalogue.js';

/**
 * What is written to a collection while a search goes through it outside of transactions. A record that is not in
 * `changed` is as the search saw it, or will see it; of the others, those in `matching` match now.
 */
export interface Watch {
  readonly changed: ReadonlySet<number>;
  readonly matching: ReadonlySet<number>;
  /** Forgets all, because the search begins anew. */
  restart(): void;
  end(): void;
}

/** How a write tells a watch of it. @param document undefined when it was removed */
export type Watcher = (record: number, document: Buffer | undefined) => void;

export function watchChanges(collection: Collection, filter: Filter): Watch {
  const changed = new Set<number>();
  const matching = new Set<number>();
  const watcher: Watcher = (record, document) => {
    changed.add(record);
    if (document !== undefined && matchesFilter(filter, documentValue(document))) matching.add(record);
    else matching.delete(record);
  };
  collection.watchers.add(watcher);
  return {
    changed,
    matching,
    restart() {
      changed.clear();
      matching.clear();
    },
    end: () => void collection.watchers.delete(watcher),
  };
}
