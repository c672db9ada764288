import type { Command, Decider, DomainEvent } from '../domain/core/decider.js';
import type { EventCatalog } from '../domain/core/event-codec.js';
import type { EventLog, StoredEvent } from '../runtime/event-store/event-log.js';
import { chainStart } from '../runtime/event-store/hash-chain.js';

/** How an aggregate is written: where its streams are and what decides. */
export interface Aggregate<State, C extends Command, E extends DomainEvent> {
  readonly stream: (id: string) => string;
  readonly decider: Decider<State, C, E>;
  /**
   * The flow an event belongs to, where it can be another one than its command's: an expiry that somebody else's
   * reservation brings about belongs to the order that let it lapse.
   */
  readonly correlationOf?: (event: E) => string | undefined;
  /** How many parts a state has, where that can be thousands: what is kept in memory is bounded by parts too. */
  readonly parts?: (state: State) => number;
}

/** What is known of a command that was accepted: enough to answer it again from its own events. */
export interface Remembered {
  readonly requestHash: string | undefined;
  readonly first: bigint;
  last: bigint;
  /** when its first event occurred, ISO 8601 */
  readonly at: string;
}

const rememberedEvents = 10_000;
const rememberedMs = 24 * 3600_000;

/** A stream as this process knows it: its folded state, its end, and who wrote what. */
export class StreamState {
  revision = -1n;
  hash = chainStart;
  position = 0n;
  readonly commands = new Map<string, Remembered>();

  constructor(
    readonly stream: string,
    readonly decider: Decider<unknown, Command, DomainEvent>,
    private readonly catalog: EventCatalog,
    public state: unknown = decider.initialState,
  ) {}

  /** Reads what came after the known end. Two readers at once do no harm. @throws LogUnavailable, DecodeError */
  async catchUp(log: EventLog): Promise<void> {
    for await (const event of log.readStream(this.stream, this.revision + 1n)) this.apply(event);
  }

  /** Takes in the event after the known end; an event before it is known already. */
  apply(stored: StoredEvent): void {
    if (stored.revision <= this.revision) return;
    const event = this.catalog.decode(stored.type, Number(stored.metadata['event_version']), stored.data);
    this.state = this.decider.evolve(this.state, event);
    this.advance(stored.revision, stored.position, stored.metadata);
  }

  /** Moves the known end over an event whose effect on the state is already in. */
  advance(revision: bigint, position: bigint, metadata: Readonly<Record<string, unknown>>): void {
    this.revision = revision;
    this.position = position;
    this.hash = String(metadata['hash']);
    const commandId = metadata['command_id'];
    if (typeof commandId !== 'string') return;
    const known = this.commands.get(commandId);
    if (known !== undefined) {
      known.last = revision;
      return;
    }
    const requestHash = metadata['request_hash'];
    const at = String(metadata['occurred_at']);
    this.commands.set(commandId, {
      requestHash: typeof requestHash === 'string' ? requestHash : undefined,
      first: revision,
      last: revision,
      at,
    });
    for (const [id, oldest] of this.commands) {
      if (this.revision - oldest.last <= rememberedEvents) break;
      if (Date.parse(at) - Date.parse(oldest.at) <= rememberedMs) break;
      this.commands.delete(id);
    }
  }

  /** The events a command led to, read back from the log, without those that belong to other flows. */
  async eventsOf(log: EventLog, commandId: string, known: Remembered) {
    const events: DomainEvent[] = [];
    const eventIds: string[] = [];
    const count = Number(known.last - known.first) + 1;
    for await (const stored of log.readStream(this.stream, known.first, count)) {
      if (stored.metadata['command_id'] !== commandId) continue;
      events.push(this.catalog.decode(stored.type, Number(stored.metadata['event_version']), stored.data));
      eventIds.push(stored.id);
    }
    return { events, eventIds };
  }
}
