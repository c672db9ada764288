import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Finding, placeOf, tally } from './finding.js';
import type { Watcher } from './flow.js';

interface Seen {
  /** Where each command's last event in the stream is. */
  readonly last: Map<string, bigint>;
}

export interface OneEffect extends Watcher {
  finding(): Finding;
}

/**
 * I7: a command has one effect in a stream. Its events are appended together, so that its id comes back in none that are
 * apart; and wherever its id stands, it was the same request. What it was answered with follows from these events.
 */
export function oneEffect(): OneEffect {
  const found = tally('I7', 'a command id has one effect and one request', ['events', 'commands', 'keyed requests']);
  const streams = new Map<string, Seen>();
  const requests = new Map<string, string>();

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

  return {
    take(stored) {
      found.count('events');
      const commandId = stored.metadata['command_id'];
      if (typeof commandId !== 'string') return;
      const { stream, revision } = stored;
      const seen = streams.get(stream) ?? { last: new Map() };
      streams.set(stream, seen);
      const before = seen.last.get(commandId);
      if (before === undefined) found.count('commands');
      else if (before !== revision - 1n) {
        const where = `${placeOf(stored)}, command ${commandId}`;
        found.violated(where, 'no effect, it had one before', `${stored.type} after revision ${before}`);
      }
      seen.last.set(commandId, revision);
      checkRequest(stored, commandId);
    },
    finding: () => found.finding(),
  };
}
