import type { Logger } from '../../../runtime/logger.js';
import type { DiskRoom } from '../../disk-room.js';
import type { Storage } from '../storage.js';
import { type StoredGroup, storeGroup } from './stored-group.js';

/**
 * How far a group has come, and when that is written down: after `maxCheckpointCount` handled events at once, after
 * `minCheckpointCount` of them `checkpointAfterMs` later, and at the end.
 */
export class Progress {
  private handled = 0;
  private saving: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /** @param lowest the first revision or position that is not handled */
  constructor(
    private readonly deps: { storage: Storage; room: DiskRoom; log: Logger },
    private readonly stored: StoredGroup,
    private readonly lowest: () => number,
  ) {}

  /** Events were handled, or left out by the group's filter. */
  count(events = 1): void {
    this.handled += events;
  }

  /** Stores what has been reached when it is time to. */
  look(): void {
    const { minCheckpointCount, maxCheckpointCount, checkpointAfterMs } = this.stored.settings;
    if (this.isClosed || this.handled === 0 || this.saving !== undefined) return;
    if (this.handled >= maxCheckpointCount) void this.save();
    else if (this.handled >= minCheckpointCount) {
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        void this.save();
      }, checkpointAfterMs);
    }
  }

  /** Stores what has been reached, if it is news. Durable when it resolves, or logged. */
  save(): Promise<void> {
    this.saving ??= this.write().finally(() => {
      this.saving = undefined;
      this.look();
    });
    return this.saving;
  }

  /** Stores what has been reached, for the last time. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.saving;
    await this.save();
  }

  private async write(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.handled = 0;
    if (this.lowest() === this.stored.next) return;
    const { next, checkpointed } = this.stored;
    let reached = next;
    try {
      await storeGroup(this.deps, this.stored, () => {
        this.handled = 0;
        reached = this.lowest();
        // A changed start, meanwhile, is no progress.
        if (reached !== this.stored.next) Object.assign(this.stored, { next: reached, checkpointed: true });
      });
    } catch (err) {
      if (this.stored.next === reached) Object.assign(this.stored, { next, checkpointed });
      this.deps.log.error('the progress of a persistent subscription was not stored', {
        group: this.stored.group,
        err,
      });
    }
  }
}
