import type { Dispatch } from '../../domain/fulfilment/dispatch.js';
import { deriveId } from '../../runtime/ids.js';
import { fulfilmentAggregate, inventoryAggregate, orderAggregate, paymentAggregate } from '../aggregates.js';
import type { Accepted, CommandContext, CommandHandler } from '../handle-command.js';

export type CommandStep = Exclude<Dispatch, { target: 'provider' }>;

/** The flow that a step's events belong to. */
export interface Flow {
  readonly orderId: string;
  readonly correlationId: string;
  readonly causationId: string | undefined;
  readonly userId: string | undefined;
}

/** Hands a step's command to its stream; its id follows from the step, so that a repeat changes nothing. */
export function sendStep(commands: CommandHandler, step: CommandStep, flow: Flow): Promise<Accepted> {
  const { orderId, ...rest } = flow;
  const context: CommandContext = {
    ...rest,
    commandId: deriveId('fulfilment', orderId, step.target, step.step, step.id, step.attempt),
    creates: step.step === 'start' || step.step === 'initiate',
  };
  switch (step.target) {
    case 'inventory':
      return commands.handle(inventoryAggregate, step.id, step.command, context);
    case 'order':
      return commands.handle(orderAggregate, step.id, step.command, context);
    case 'payment':
      return commands.handle(paymentAggregate, step.id, step.command, context);
    case 'fulfilment':
      return commands.handle(fulfilmentAggregate, step.id, step.command, context);
  }
}
