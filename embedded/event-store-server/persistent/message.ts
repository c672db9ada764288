import type { StoredEvent } from '../reader.js';
import { recordIdKey, recordRevision, recordType } from '../record.js';
import { linkType, resolveLink, type SourceDeps } from '../source.js';

/** One event on its way through a group. */
export interface Message {
  /** what consumers name it by: the link's id where there is a link */
  readonly id: string;
  readonly position: number;
  /** undefined when its link leads nowhere */
  readonly event: Buffer | undefined;
  readonly link: Buffer | undefined;
  /** its revision or position in the group's source; for a replayed one, its revision in the parked stream */
  readonly sequence: number;
  readonly isReplayed: boolean;
  /** how often it has been tried again */
  retries: number;
}

/** @param isOnAll whether the group's sequence is positions */
export function newMessage(deps: SourceDeps, stored: StoredEvent, isOnAll: boolean, resolveLinks: boolean): Message {
  const { position, record } = stored;
  const isLink = resolveLinks && recordType(record) === linkType;
  return {
    id: recordIdKey(record),
    position,
    event: isLink ? resolveLink(deps, record) : record,
    link: isLink ? record : undefined,
    sequence: isOnAll ? position : recordRevision(record),
    isReplayed: false,
    retries: 0,
  };
}

export function replayedMessage(deps: SourceDeps, { position, record }: StoredEvent): Message {
  return {
    id: recordIdKey(record),
    position,
    event: resolveLink(deps, record),
    link: record,
    sequence: recordRevision(record),
    isReplayed: true,
    retries: 0,
  };
}

/** In bytes. */
export const sizeOf = ({ event, link }: Message): number => (event?.length ?? 0) + (link?.length ?? 0);

/**
 * The messages of one kind that are not handled yet, told by the order they came in: progress is the lowest of them.
 * They have to be added by rising sequence.
 */
export class Unfinished {
  private readonly messages = new Set<Message>();

  add(message: Message): void {
    this.messages.add(message);
  }

  delete(message: Message): void {
    this.messages.delete(message);
  }

  clear(): void {
    this.messages.clear();
  }

  has(message: Message): boolean {
    return this.messages.has(message);
  }

  get size(): number {
    return this.messages.size;
  }

  /** The lowest sequence that is not handled; `otherwise` when all are. */
  lowest(otherwise: number): number {
    for (const { sequence } of this.messages) return sequence;
    return otherwise;
  }
}
