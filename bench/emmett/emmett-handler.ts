import { CommandHandler, type Event } from '@event-driven-io/emmett';
import { getEventStoreDBEventStore } from '@event-driven-io/emmett-esdb';
import { EventStoreDBClient } from '@eventstore/db-client';
import type { DomainEvent } from '../../domain/core/decider.js';
import type { Asking } from '../shop/asking.js';

/** Of the pauses that were tried and are short beside an arm, those with which most commands of one stream got through. */
const retry = { forever: true, factor: 1.5, minTimeout: 1, maxTimeout: 200, randomize: true };

/** The error that emmett's store throws is a copy of the class that emmett's own test looks for, so it never knows it. */
const isConflict = (error: unknown): boolean =>
  error instanceof Error && 'errorCode' in error && error.errorCode === 412;

/** Emmett's command handler with the shop's deciders, as one who uses emmett would write it. */
export interface EmmettHandler {
  /** @returns false where conflicts had the last word when the time was over */
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
      let attempts = 0;
      // Appending nothing ends it. An error that is not to be retried would not: its retries go on behind the caller.
      const { newEvents } = await handle(store, id, (state) => {
        attempts += 1;
        return attempts > 1 && isOver() ? [] : ([...decider.decide(command, state)] as Event[]);
      });
      return newEvents.length > 0;
    },
    close: () => client.dispose(),
  };
}
