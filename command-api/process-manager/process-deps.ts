import type { EventCatalog } from '../../domain/core/event-codec.js';
import type { ProcessPolicy } from '../../domain/fulfilment/dispatch.js';
import { type EventLog, isPassingFault } from '../../runtime/event-store/event-log.js';
import type { Logger } from '../../runtime/logger.js';
import type { CommandHandler } from '../handle-command.js';
import { type PaymentProvider, ProviderUnavailable } from './payment-provider.js';

export interface ProcessDeps {
  readonly eventLog: EventLog;
  readonly commands: CommandHandler;
  readonly catalog: EventCatalog;
  readonly provider: PaymentProvider;
  readonly policy: Omit<ProcessPolicy, 'provider'>;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** Faults that a later try can outlive; anything else is ours, and an order that meets it again and again is parked. */
export function isPassing(error: unknown): boolean {
  return isPassingFault(error) || error instanceof ProviderUnavailable;
}
