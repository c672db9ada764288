import { clearImmediate, setImmediate } from 'node:timers';
import type { CommitSignal } from '../commit-signal.js';
import { createFilter, type Filter } from '../filter.js';
import type { StoredEvent } from '../reader.js';
import { recordRevision, recordStream } from '../record.js';
import { openSource, type Source, type SourceDeps } from '../source.js';
import { type Message, newMessage, Unfinished } from './message.js';
import { parkedStream, type StoredGroup } from './stored-group.js';

/** What a group reads of its source, and how much of that is handled. */
export class SourceEvents {
  private readonly source: Source;
  private readonly filter: Filter | undefined;
  /** streams that the group writes itself */
  private readonly own: ReadonlySet<string>;
  private readonly unfinished = new Unfinished();
  private cursor: number;
  private readToEnd = false;
  private stopWaiting: (() => void) | undefined;

  /** @throws FilterError */
  constructor(
    private readonly deps: SourceDeps & { signal: CommitSignal },
    private readonly stored: StoredGroup,
  ) {
    this.source = openSource(deps, stored.stream);
    this.filter = stored.filter === undefined ? undefined : createFilter(stored.filter, Number.POSITIVE_INFINITY);
    const parked = parkedStream(stored);
    this.own = new Set(stored.stream === undefined ? [parked, `$$${parked}`] : []);
    this.cursor = stored.next;
  }

  /** Whether nothing was left to read the last time. */
  get isAtEnd(): boolean {
    return this.readToEnd;
  }

  /** The last revision or position, -1 or 0 when there is none. */
  newest(): number {
    return this.source.newest();
  }

  /** The first revision or position that is not handled. */
  get reached(): number {
    return this.unfinished.lowest(this.cursor);
  }

  /** Begins anew from here: what was read before is nobody's concern any more. */
  startAt(next: number): void {
    this.unfinished.clear();
    this.cursor = next;
    this.readToEnd = false;
    this.stop();
  }

  /** Whether nothing is to be read until `whenMore` calls back. */
  get isPaused(): boolean {
    return this.stopWaiting !== undefined;
  }

  /** Calls back once, after the next commit when everything is read, else when others have had their turn. */
  whenMore(wake: () => void): void {
    // Not in the turn of the writer either, who has others to answer.
    const inItsTurn = () => {
      const turn = setImmediate(() => {
        this.stopWaiting = undefined;
        wake();
      });
      this.stopWaiting = () => clearImmediate(turn);
    };
    if (this.readToEnd) this.stopWaiting = this.deps.signal.onNext(this.source.key, inItsTurn);
    else inItsTurn();
  }

  /** Calls nobody back any more. */
  stop(): void {
    this.stopWaiting?.();
    this.stopWaiting = undefined;
  }

  /**
   * Reads on. What precedes a damaged event comes first, and the next page throws.
   *
   * @returns also how many events were left out, by the filter or as the group's own
   * @throws DamageError, FilterError; nothing is passed over then
   */
  nextPage(limit: number): { messages: Message[]; leftOut: number } {
    const page = this.source.page(this.cursor, 'forwards', limit, Number.POSITIVE_INFINITY);
    const passes = this.filter?.test(page.events);
    const messages: Message[] = [];
    let { next, atEnd } = page;
    let leftOut = 0;
    for (const [index, event] of page.events.entries()) {
      if (passes?.[index] === false || this.isOwn(event)) {
        leftOut += 1;
        continue;
      }
      try {
        messages.push(
          newMessage(this.deps, event, this.stored.stream === undefined, this.stored.settings.resolveLinks),
        );
      } catch (err) {
        // Its link leads to damage.
        if (index === 0) throw err;
        next = this.stored.stream === undefined ? event.position : recordRevision(event.record);
        atEnd = false;
        break;
      }
    }
    // Nothing below can fail: a page counts whole or not at all.
    for (const message of messages) this.unfinished.add(message);
    this.cursor = next;
    this.readToEnd = atEnd;
    return { messages, leftOut };
  }

  finish(message: Message): void {
    this.unfinished.delete(message);
  }

  /** Whether a message is not handled yet, and not from before a new beginning. */
  isUnfinished(message: Message): boolean {
    return this.unfinished.has(message);
  }

  private isOwn({ record }: StoredEvent): boolean {
    return this.own.size > 0 && this.own.has(recordStream(record));
  }
}
