/** What a search goes through: `collection` is one with a filter that no index helps, `everything` one without a filter. */
export type ScanKind = 'id' | 'index' | 'collection' | 'everything';
export type ChangeKind = 'inserted' | 'updated' | 'removed';

/** What a store has done since it was opened. */
export class StoreTotals {
  readonly scans: Record<ScanKind, number> = { id: 0, index: 0, collection: 0, everything: 0 };
  readonly examined = { keys: 0, documents: 0 };
  /** what is stored; a transaction that is undone has changed nothing */
  readonly changed: Record<ChangeKind, number> = { inserted: 0, updated: 0, removed: 0 };
  private pending: Record<ChangeKind, number> = { inserted: 0, updated: 0, removed: 0 };

  /** A transaction begins. */
  begin(): void {
    this.pending = { inserted: 0, updated: 0, removed: 0 };
  }

  change(kind: ChangeKind): void {
    this.pending[kind]++;
  }

  /** The transaction is stored. @returns how many documents it changed */
  commit(): number {
    const { inserted, updated, removed } = this.pending;
    this.changed.inserted += inserted;
    this.changed.updated += updated;
    this.changed.removed += removed;
    return inserted + updated + removed;
  }
}
