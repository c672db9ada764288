import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { OrderProcess } from './order-process.js';
import type { ProcessDeps } from './process-deps.js';

const orderId = '0197a000-0000-7000-8000-000000000001';
const at = (revision: bigint): StoredEvent => ({
  stream: `order-${orderId}`,
  revision,
  position: revision,
  type: 'order.of_a_newer_build',
  id: orderId,
  data: { order_id: orderId },
  metadata: { event_version: 1 },
  recordedAt: new Date(0),
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('the memory of an order that has ended or waits', () => {
  const deps = { catalog: eventCatalog } as ProcessDeps;

  it('knows what the order knew then, and not what it hears later', () => {
    const process = new OrderProcess(orderId, deps);
    process.take(at(0n));
    const knows = process.memory();
    process.take(at(1n));
    expect([knows(at(0n)), knows(at(1n)), process.knows(at(1n))]).to.deep.equal([true, false, true]);
    expect(knows({ ...at(0n), stream: 'payment-1' })).to.equal(false);
  });

  it('keeps nothing of the order itself, which may have thousands of lines', async () => {
    const memories: ReturnType<OrderProcess['memory']>[] = [];
    const remembered = () => {
      const process = new OrderProcess(orderId, deps);
      process.take(at(0n));
      memories.push(process.memory());
      return new WeakRef(process);
    };
    const process = remembered();
    for (let turn = 0; turn < 10 && process.deref() !== undefined; turn += 1) {
      await setImmediate();
      collectGarbage();
    }
    expect(process.deref()).to.equal(undefined);
    expect(memories.map((knows) => knows(at(0n)))).to.deep.equal([true]);
  });
});
