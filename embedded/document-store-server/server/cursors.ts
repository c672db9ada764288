import { randomInt } from 'node:crypto';
import { CommandError, code } from '../errors.js';
import type { Batches, Held } from '../query/pipeline.js';

const mostIdleMs = 10 * 60_000;
const mostOpen = 10_000;
const mostHeldBytes = 512 * 1024 * 1024;
const replyBytes = 16 * 1024 * 1024;

/** A result being read batch by batch. It holds what one step of its source gave and no more. */
export interface Cursor {
  id: bigint;
  namespace: string;
  source: Batches;
  pending: Buffer[];
  finished: boolean;
  inUse: boolean;
  keep: boolean;
  /** the session it was opened in, if any: only there it is read on */
  session: Buffer | undefined;
  touched: number;
  /** what its result keeps in memory beside what is pending */
  held: Held;
  /** bytes of it that are in the sum of all */
  counted: number;
}

export interface CursorLimits {
  open: number;
  heldBytes: number;
}

export interface Batch {
  documents: Buffer[];
  /** 0 when there is no more */
  id: bigint;
}

async function take(cursor: Cursor, size: number): Promise<Buffer[]> {
  const documents: Buffer[] = [];
  let bytes = 0;
  while (documents.length < size) {
    const next = cursor.pending[documents.length];
    if (next === undefined) {
      if (cursor.finished) break;
      const step = await cursor.source.next();
      if (step.done === true) cursor.finished = true;
      else cursor.pending.push(...step.value);
      continue;
    }
    if (documents.length > 0 && bytes + next.length > replyBytes) break;
    documents.push(next);
    bytes += next.length;
  }
  cursor.pending = cursor.pending.slice(documents.length);
  return documents;
}

function checkSession({ id, session: own }: Cursor, session: Buffer | undefined): void {
  if (own === undefined && session === undefined) return;
  if (own !== undefined && session !== undefined && own.equals(session)) return;
  const number = own === undefined ? 50736 : session === undefined ? 50737 : 50738;
  throw new CommandError(number, `Cannot run getMore on cursor ${id}, which was created in another session or none`);
}

/**
 * The open cursors. One that nobody asked for ten minutes is closed; where there are too many, or their results take too
 * much memory, those that nobody asked for longest are. Who asks for one that was closed is told that it is not found.
 * A cursor belongs to no connection: it outlives the one that opened it.
 */
export class Cursors {
  /** longest unasked first */
  private readonly open = new Map<bigint, Cursor>();
  private readonly timer = setInterval(() => this.expire(), 60_000).unref();
  /** bytes that the results of open cursors take */
  heldBytes = 0;
  /** documents handed out so far */
  returned = 0;

  /** @param elapsed milliseconds since any one moment */
  constructor(
    private readonly elapsed: () => number = () => performance.now(),
    private readonly limits: CursorLimits = { open: mostOpen, heldBytes: mostHeldBytes },
  ) {}

  get size(): number {
    return this.open.size;
  }

  /** The first batch of a result; the cursor stays open only if there may be more. */
  async start(
    namespace: string,
    source: Batches,
    size: number,
    options: { single?: boolean; keep?: boolean; session: Buffer | undefined; held?: Held },
  ): Promise<Batch> {
    const cursor: Cursor = {
      id: 0n,
      namespace,
      source,
      pending: [],
      finished: false,
      inUse: false,
      keep: options.keep === true,
      session: options.session && Buffer.from(options.session),
      touched: this.elapsed(),
      held: options.held ?? { bytes: 0 },
      counted: 0,
    };
    const documents = await take(cursor, size);
    this.returned += documents.length;
    if (options.single !== true && size > 0 && cursor.pending.length === 0 && !cursor.finished) await this.peek(cursor);
    if (options.single === true || (cursor.finished && cursor.pending.length === 0)) {
      await source.return();
      return { documents, id: 0n };
    }
    do cursor.id = (BigInt(randomInt(2 ** 31)) << 32n) | BigInt(randomInt(1, 2 ** 32));
    while (this.open.has(cursor.id));
    this.putLast(cursor);
    this.shed(cursor);
    return { documents, id: cursor.id };
  }

  /** Closes what nobody asked for longest, until the rest is within the limits. */
  private shed(latest: Cursor): void {
    for (const cursor of this.open.values()) {
      if (this.open.size <= this.limits.open && this.heldBytes <= this.limits.heldBytes) return;
      if (cursor !== latest && !cursor.inUse) this.kill(cursor.id);
    }
  }

  /** Takes a cursor in as the one that was asked last, with what it keeps by now. */
  private putLast(cursor: Cursor): void {
    this.remove(cursor);
    this.open.set(cursor.id, cursor);
    cursor.counted = cursor.pending.reduce((sum, document) => sum + document.length, cursor.held.bytes);
    this.heldBytes += cursor.counted;
  }

  /** @returns whether it was open */
  private remove(cursor: Cursor): boolean {
    if (!this.open.delete(cursor.id)) return false;
    this.heldBytes -= cursor.counted;
    return true;
  }

  /** Looks whether the source is at its end, so that a result of exactly one batch needs no second question. */
  private async peek(cursor: Cursor): Promise<void> {
    const step = await cursor.source.next();
    if (step.done === true) cursor.finished = true;
    else cursor.pending = step.value;
  }

  /**
   * @throws CommandError 43 when the cursor is not open, 13 for another collection's, 50736 to 50738 in another session
   *   than its own, 12051 while it is being read
   */
  async more(id: bigint, namespace: string, size: number, session: Buffer | undefined): Promise<Batch> {
    this.expire();
    const cursor = this.open.get(id);
    if (cursor === undefined) throw new CommandError(code.cursorNotFound, `cursor id ${id} not found`);
    if (cursor.namespace !== namespace) {
      throw new CommandError(
        13,
        `Requested getMore on namespace '${namespace}', but cursor belongs to '${cursor.namespace}'`,
      );
    }
    checkSession(cursor, session);
    if (cursor.inUse) throw new CommandError(12051, `cursor id ${id} is already in use`);
    cursor.inUse = true;
    try {
      const documents = await take(cursor, size);
      this.returned += documents.length;
      const ended = cursor.finished && cursor.pending.length === 0;
      if (ended) this.remove(cursor);
      return { documents, id: ended || !this.open.has(id) ? 0n : id };
    } catch (err) {
      this.remove(cursor);
      throw err;
    } finally {
      cursor.inUse = false;
      cursor.touched = this.elapsed();
      if (this.open.has(id)) this.putLast(cursor);
    }
  }

  /** @returns whether it was open */
  kill(id: bigint): boolean {
    const cursor = this.open.get(id);
    if (cursor === undefined) return false;
    this.remove(cursor);
    cursor.finished = true;
    cursor.source.return().catch(() => undefined);
    return true;
  }

  private expire(): void {
    const now = this.elapsed();
    for (const [id, cursor] of this.open) {
      if (now - cursor.touched <= mostIdleMs) return;
      if (!cursor.keep && !cursor.inUse) this.kill(id);
    }
  }

  close(): void {
    clearInterval(this.timer);
    for (const id of [...this.open.keys()]) this.kill(id);
  }
}
