import { CommandHandler, type Event } from '@event-driven-io/emmett';
import { getEventStoreDBEventStore } from '@event-driven-io/emmett-esdb';
import { EventStoreDBClient } from '@eventstore/db-client';
import type { DomainEvent } from '../../domain/core/decider.js';
import type { Asking } from '../shop/asking.js';

/** Emmett's own pauses after a conflict, but short beside an arm, and until the command comes through. Milliseconds. */
const retry = { forever: true, minTimeout: 100, factor: 1.5, maxTimeout: 200 };

/** The error that emmett's store throws is a copy of the class that emmett's own test looks for, so it never knows it. */
const isConflict = (error: unknown): boolean =>
  error instanceof Error && 'errorCode' in error && error.errorCode === 412;

/** Emmett's command handler with the shop's deciders, as one who uses emmett would write it. */
export interface EmmettHandler {
  /** @returns false where a conflict had the last word, in the one attempt that is left when the time is over */
  handle(asked: Asking, isOver: () => boolean): Promise<boolean>;
  close(): Promise<void>;
}

/** @param connectionString of the server that both handlers write to */
export function emmettHandler(connectionString: string): EmmettHandler {
  const client = EventStoreDBClient.connectionString(connectionString);
  const store = getEventStoreDBEventStore(client);
  return {
    async handle({ aggregate, id, command }, isOver) {
      const { decider, stream } = aggregate;
      const handle = CommandHandler<unknown, Event>({
        evolve: (state, event) => decider.evolve(state, event as DomainEvent),
        initialState: () => decider.initialState,
        mapToStreamId: stream,
        retry: { onVersionConflict: { ...retry, shouldRetryError: isConflict } },
      });
      let last = false;
      // Appending nothing ends it. An error that is not to be retried would not: its retries go on behind the caller.
      const { newEvents } = await handle(store, id, (state) => {
        if (last) return [];
        last = isOver();
        return [...decider.decide(command, state)] as Event[];
      });
      return newEvents.length > 0;
    },
    close: () => client.dispose(),
  };
}
