import { expect } from 'chai';
import fc from 'fast-check';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type FulfilmentCommand, fulfilmentDecider } from './fulfilment.js';
import type { FulfilmentEvent } from './fulfilment-events.js';
import { at, deriveId, orderId } from './process-fixture.js';

const order_id = orderId('a');
const metadata = { now: at(0) };
const because = deriveId('an event');

const start = (outcome: 'reserved' | 'refused'): FulfilmentCommand => ({
  type: 'StartFulfilment',
  data: { order_id, outcome, deadline: outcome === 'reserved' ? at(600) : null },
  metadata,
});
const take = (step: 'release' | 'undo_confirmation' | 'refund', attempt = 1): FulfilmentCommand => ({
  type: 'TakeStep',
  data: { order_id, step, attempt, because },
  metadata,
});
const end = (outcome: 'confirmed' | 'failed' | 'cancelled'): FulfilmentCommand => ({
  type: 'EndFulfilment',
  data: { order_id, outcome },
  metadata,
});
const started: FulfilmentEvent = {
  type: 'fulfilment.started',
  data: { order_id, outcome: 'reserved', deadline: at(600) },
};
const taken = (step: 'release' | 'undo_confirmation' | 'refund', attempt = 1): FulfilmentEvent => ({
  type: 'fulfilment.step_taken',
  data: { order_id, step, attempt, because },
});
const ended: FulfilmentEvent = { type: 'fulfilment.ended', data: { order_id, outcome: 'failed' } };

describe("a fulfilment's own stream", () => {
  it('records what reserving came to, and until when payment may take', () => {
    given(fulfilmentDecider).when(start('reserved')).then(started);
    given(fulfilmentDecider)
      .when(start('refused'))
      .then({ type: 'fulfilment.started', data: { order_id, outcome: 'refused', deadline: null } });
  });

  it('starts once: the first deadline counts', () => {
    given(fulfilmentDecider, started).when(start('reserved')).thenNothing();
    given(fulfilmentDecider, started).when(start('refused')).thenNothing();
  });

  it('records each step once an attempt', () => {
    given(fulfilmentDecider, started).when(take('release')).then(taken('release'));
    given(fulfilmentDecider, started, taken('release')).when(take('release')).thenNothing();
    given(fulfilmentDecider, started, taken('release')).when(take('release', 2)).then(taken('release', 2));
    given(fulfilmentDecider, started, taken('release')).when(take('refund')).then(taken('refund'));
  });

  it('ends once, with the first outcome', () => {
    given(fulfilmentDecider, started).when(end('failed')).then(ended);
    given(fulfilmentDecider, started, ended).when(end('failed')).thenNothing();
    given(fulfilmentDecider, started, ended).when(end('confirmed')).thenNothing();
  });

  it('is lawful, and every command may come twice', () => {
    const command = fc.oneof(
      fc.constantFrom('reserved' as const, 'refused' as const).map(start),
      fc
        .tuple(fc.constantFrom('release' as const, 'undo_confirmation' as const, 'refund' as const), fc.nat(2))
        .map(([step, n]) => take(step, n + 1)),
      fc.constantFrom('confirmed' as const, 'failed' as const, 'cancelled' as const).map(end),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (list) => {
        const { events, refusals } = runLawfully(fulfilmentDecider, eventCatalog, list, () => true);
        expect(refusals).to.deep.equal([]);
        const said = events.map((event) =>
          event.type === 'fulfilment.step_taken' ? `${event.data.step} ${event.data.attempt}` : event.type,
        );
        expect(new Set(said).size).to.equal(said.length);
      }),
    );
  });
});
