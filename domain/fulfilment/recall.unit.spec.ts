import { expect } from 'chai';
import { World } from './model-fixture.js';
import { at, deriveId, minutes, stockItem, variantId } from './process-fixture.js';
import type { ProcessState } from './process-state.js';
import { recallStock } from './recall.js';
import { created, knowing, shop, started, variantNames } from './story-fixture.js';

describe('recalling where stock stands', () => {
  const recalled = (state: ProcessState, world: World) =>
    [...state.stock.values()]
      .map(({ item }) => recallStock(state, item.variant_id, world.state('inventory', item.variant_id), { deriveId }))
      .map((next, i) => {
        const [id] = [...state.stock][i] ?? [''];
        const variant = next.stock.get(id);
        return `${variantNames.get(id)} ${variant?.status} ${variant?.attempt}`;
      })
      .sort();

  it('before the start: what is not reserved is still to be done', () => {
    const { world, process } = shop({ mug: 9, cup: 9 });
    expect(recalled(process.state, world)).to.deep.equal(['cup none 1', 'mug none 1']);
    process.step();
    expect(recalled(knowing(created), world).filter((line) => line.includes('reserved'))).to.have.length(1);
  });

  it('after the start: held, lapsed, confirmed, restocked, and which attempt', () => {
    const { world, process, until } = shop({ mug: 1, cup: 2 });
    until('inventory confirm cup 1');
    expect(recalled(process.state, world)).to.deep.equal(['cup reserved 1', 'mug reserved 1']);
    world.seconds = 16 * minutes;
    const expire = { type: 'ExpireReservations', data: stockItem('cup'), metadata: world.metadata };
    world.handle('inventory', variantId('cup'), expire);
    expect(recalled(process.state, world)).to.deep.equal(['cup lapsed 1', 'mug reserved 1']);
    until('inventory confirm cup 2');
    expect(recalled(process.state, world)).to.deep.equal(['cup reserved 2', 'mug confirmed 1']);
  });

  it('that nothing is known of: refused where reserving was, else the next command will tell', () => {
    const world = new World();
    const refused = knowing(created, started('refused', null));
    expect(recalled(refused, world)).to.deep.equal(['cup refused 1', 'mug refused 1']);
    const reserved = knowing(created, started('reserved', at(600)));
    expect(recalled(reserved, world)).to.deep.equal(['cup reserved 1', 'mug reserved 1']);
  });
});
