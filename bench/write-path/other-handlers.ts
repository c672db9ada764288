import { setTimeout as sleep } from 'node:timers/promises';
import { decideGroup } from '../../command-api/decide-group.js';
import { StreamState } from '../../command-api/stream-state.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import { type EventLog, RevisionConflict } from '../../runtime/event-store/event-log.js';
import type { Asking } from '../shop/asking.js';
import { service } from '../shop/workloads.js';

/**
 * Decides and appends a command with the shop's own code, in another way than its write loop.
 *
 * @param isOver asked before a further attempt
 * @returns false where it was given up
 */
export type OtherHandler = (asked: Asking, isOver: () => boolean) => Promise<boolean>;

const deciding = { catalog: eventCatalog, service };
const longestPauseMs = 200;

/** Reads the stream, decides, appends: a process that remembers nothing. */
export function loadThenAppend(eventLog: EventLog): OtherHandler {
  return async ({ aggregate, id, command, context }) => {
    const known = new StreamState(aggregate.stream(id), aggregate.decider, eventCatalog);
    if (context.creates !== true) await known.catchUp(eventLog);
    const { base, proposed } = decideGroup(deciding, known, aggregate, [{ command, context }]);
    await eventLog.append(known.stream, proposed, base === -1n ? 'no-stream' : base);
    return true;
  };
}

/**
 * Decides on the state that all callers share and appends at once, each caller by itself; whoever meets a conflict
 * waits a little, at random and longer each time, reads the tail and decides again.
 */
export function tailReading(eventLog: EventLog): OtherHandler {
  const states = new Map<string, StreamState>();
  return async ({ aggregate, id, command, context }, isOver) => {
    const stream = aggregate.stream(id);
    const known = states.get(stream) ?? new StreamState(stream, aggregate.decider, eventCatalog);
    states.set(stream, known);
    for (let attempt = 1; ; attempt += 1) {
      const { base, proposed, state } = decideGroup(deciding, known, aggregate, [{ command, context }]);
      try {
        const { position } = await eventLog.append(stream, proposed, base === -1n ? 'no-stream' : base);
        if (known.revision !== base) return true;
        known.state = state;
        for (const event of proposed) known.advance(event.revision, position, event.metadata);
        return true;
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
        if (isOver()) return false;
        await sleep(Math.random() * Math.min(longestPauseMs, 2 ** attempt));
        await known.catchUp(eventLog);
      }
    }
  };
}
