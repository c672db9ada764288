import type { Command, Decider } from '../core/decider.js';
import type { FulfilmentEvent } from './fulfilment-events.js';

type Data<Type extends FulfilmentEvent['type']> = Extract<FulfilmentEvent, { type: Type }>['data'];

export type StartFulfilment = Command<'StartFulfilment', Data<'fulfilment.started'>>;
export type TakeStep = Command<'TakeStep', Data<'fulfilment.step_taken'>>;
export type EndFulfilment = Command<'EndFulfilment', Data<'fulfilment.ended'>>;
export type FulfilmentCommand = StartFulfilment | TakeStep | EndFulfilment;

export interface FulfilmentState {
  readonly started: boolean;
  readonly ended: boolean;
  readonly steps: readonly string[];
}

/** The fulfilment's own stream: it records each choice once. What to choose is decided in `next-steps.ts`. */
export const fulfilmentDecider: Decider<FulfilmentState, FulfilmentCommand, FulfilmentEvent> = {
  initialState: { started: false, ended: false, steps: [] },
  decide(command, state) {
    switch (command.type) {
      case 'StartFulfilment':
        return state.started ? [] : [{ type: 'fulfilment.started', data: command.data }];
      case 'TakeStep': {
        const taken = state.steps.includes(`${command.data.step} ${command.data.attempt}`);
        return taken ? [] : [{ type: 'fulfilment.step_taken', data: command.data }];
      }
      case 'EndFulfilment':
        return state.ended ? [] : [{ type: 'fulfilment.ended', data: command.data }];
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'fulfilment.started':
        return { ...state, started: true };
      case 'fulfilment.step_taken':
        return { ...state, steps: [...state.steps, `${event.data.step} ${event.data.attempt}`] };
      case 'fulfilment.ended':
        return { ...state, ended: true };
    }
  },
};
