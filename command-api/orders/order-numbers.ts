import { formatOrderNumber } from '../../domain/order/order-number.js';
import { newId } from '../../runtime/ids.js';
import { orderNumberAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';

const blockSize = 50;

/** Hands out order numbers from blocks that this process has drawn; what a block has left is lost with the process. */
export function createOrderNumbers(commands: CommandHandler): (year: number, now: Date) => Promise<string> {
  const blocks = new Map<number, { next: number; to: number }>();
  const drawing = new Map<number, Promise<void>>();

  const draw = async (year: number, now: Date): Promise<void> => {
    const commandId = newId();
    const command = {
      type: 'DrawNumberBlock' as const,
      data: { year, size: blockSize },
      metadata: { now: now.toISOString() },
    };
    const { events } = await commands.handle(orderNumberAggregate, String(year), command, {
      commandId,
      correlationId: commandId,
    });
    const block = events[0]?.data;
    if (block !== undefined) blocks.set(year, { next: block.from, to: block.to });
  };

  return async function next(year, now) {
    for (;;) {
      const block = blocks.get(year);
      if (block !== undefined && block.next <= block.to) {
        const number = block.next;
        block.next += 1;
        return formatOrderNumber(year, number);
      }
      let drawn = drawing.get(year);
      if (drawn === undefined) {
        drawn = draw(year, now).finally(() => drawing.delete(year));
        drawing.set(year, drawn);
      }
      await drawn;
    }
  };
}
