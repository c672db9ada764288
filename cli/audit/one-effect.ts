import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Finding, placeOf, tally } from './finding.js';
import type { Watcher } from './flow.js';

export interface OneEffect extends Watcher {
  finding(): Finding;
}

/**
 * I7: a command has one effect in a stream. Its events are appended together, so that its id comes back in none that are
 * apart; wherever its id stands, it was the same request; and it makes one order at most. What it was answered with follows from these events.
 */
export function oneEffect(): OneEffect {
  const found = tally('I7', 'a command id has one effect and one request', ['events', 'commands', 'keyed requests']);
  /** Stream -> where each command's last event in it is. */
  const streams = new Map<string, Map<string, bigint>>();
  const requests = new Map<string, string>();
  /** Command -> where it made an order. */
  const orders = new Map<string, string>();

  const checkRequest = (stored: StoredEvent, commandId: string) => {
    const hash = stored.metadata['request_hash'];
    if (typeof hash !== 'string') return;
    const before = requests.get(commandId);
    if (before === undefined) {
      requests.set(commandId, hash);
      found.count('keyed requests');
    } else if (before !== hash) {
      found.violated(`${placeOf(stored)}, command ${commandId}`, `request ${before}`, `request ${hash}`);
    }
  };

  const checkOrder = (stored: StoredEvent, commandId: string) => {
    const before = orders.get(commandId);
    if (before === undefined) orders.set(commandId, placeOf(stored));
    else found.violated(`${placeOf(stored)}, command ${commandId}`, 'one order', `another at ${before}`);
  };

  return {
    take(stored) {
      found.count('events');
      const commandId = stored.metadata['command_id'];
      if (typeof commandId !== 'string') return;
      const { stream, revision } = stored;
      const last = streams.get(stream) ?? new Map<string, bigint>();
      streams.set(stream, last);
      const before = last.get(commandId);
      if (before === undefined) found.count('commands');
      else if (before !== revision - 1n) {
        const where = `${placeOf(stored)}, command ${commandId}`;
        found.violated(where, 'no effect, it had one before', `${stored.type} after revision ${before}`);
      }
      last.set(commandId, revision);
      checkRequest(stored, commandId);
      if (stored.type === 'order.created' && before === undefined) checkOrder(stored, commandId);
    },
    finding: () => found.finding(),
  };
}
