import { CommandError, code } from '../errors.js';
import type { Turns } from '../query/pipeline.js';

const most = 100 * 1024 * 1024;

/** The 100 MB that one stage may keep. */
export class Memory {
  private used = 0;

  /** @param turns of the work that keeps it */
  constructor(
    private readonly stage: string,
    private readonly turns: Turns,
  ) {}

  /** @throws CommandError 292 beyond 100 MB */
  take(bytes: number): void {
    this.used += bytes;
    this.turns.hold(bytes);
    if (this.used > most) {
      throw new CommandError(
        code.memoryLimit,
        `${this.stage} exceeded the memory limit of ${most} bytes; nothing is spilled to disk here, allowDiskUse or not`,
      );
    }
  }
}
