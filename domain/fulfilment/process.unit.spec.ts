import { expect } from 'chai';
import { acknowledge } from './dispatch.js';
import { place, settle } from './model-fixture.js';
import { nextSteps } from './next-steps.js';
import { at, deriveId, input, minutes, orderCreated, orderId, stockItem, variantId } from './process-fixture.js';
import { evolveProcess, type ProcessEvent, type ProcessState } from './process-state.js';
import {
  bothConfirmed,
  bothReserved,
  cancelled,
  created,
  declined,
  ended,
  failed,
  initiated,
  knowing,
  one,
  order_id,
  paid,
  payment_id,
  shop,
  started,
  stepsOf,
  stock,
  story,
  success,
  two,
  types,
} from './story-fixture.js';

const { total } = created.data;

describe('an order of two lines', () => {
  it('takes eleven events to be confirmed, each group of steps side by side', () => {
    const { world, process } = shop({ mug: 9, cup: 9 });
    expect(story(world, process)).to.deep.equal([
      ['inventory reserve cup 1', 'inventory reserve mug 1'],
      ['fulfilment start'],
      ['payment initiate'],
      ['provider charge'],
      ['payment record_success'],
      ['order pay'],
      ['inventory confirm cup 1', 'inventory confirm mug 1'],
      ['order confirm'],
      ['fulfilment end'],
    ]);
    expect(types(world)).to.have.length(11);
    expect(process.state.ended).to.equal('confirmed');
  });

  it('that costs nothing skips the provider', () => {
    const { world, process } = shop({ mug: 9, cup: 9 }, two, 'captured', 0);
    expect(story(world, process).flat().slice(2)).to.deep.equal([
      'fulfilment start',
      'order pay',
      'inventory confirm cup 1',
      'inventory confirm mug 1',
      'order confirm',
      'fulfilment end',
    ]);
    expect(world.captures.size).to.equal(0);
  });

  it('with stock for one line alone gives that back, fails and ends; no money is asked for', () => {
    const { world, process } = shop({ mug: 9, cup: 1 });
    expect(story(world, process)).to.deep.equal([
      ['inventory reserve cup 1', 'inventory reserve mug 1'],
      ['fulfilment start'],
      ['fulfilment release'],
      ['inventory release mug 1'],
      ['order fail'],
      ['fulfilment end'],
    ]);
    const told = world.log.find(({ type }) => type === 'order.failed')?.data;
    expect(told).to.include({ stage: 'reserving', reason: 'insufficient_stock' });
    const released = world.log.find(({ type }) => type === 'inventory.released')?.data;
    expect(released).to.include({ reason: 'stock_refused' });
  });

  it('with a card that is stolen records the step, releases, fails and ends', () => {
    const { world, process } = shop({ mug: 9, cup: 9 }, two, 'stolen');
    expect(story(world, process).slice(3)).to.deep.equal([
      ['provider charge'],
      ['payment record_failure'],
      ['fulfilment release'],
      ['inventory release cup 1', 'inventory release mug 1'],
      ['order fail'],
      ['fulfilment end'],
    ]);
    expect(world.log.find(({ type }) => type === 'order.failed')?.data).to.include({
      stage: 'payment',
      reason: 'stolen_card',
    });
  });

  it('of one variant twice reserves it once', () => {
    const { world, process } = shop({ mug: 3 }, [
      { variant: 'mug', quantity: 1 },
      { variant: 'mug', quantity: 2 },
    ]);
    expect(story(world, process)[0]).to.deep.equal(['inventory reserve mug 1']);
    expect(world.state('inventory', variantId('mug')).available).to.equal(0);
  });
});

describe('the commands', () => {
  it('to reserve carry the variant, its sum, and until when', () => {
    const steps = nextSteps(knowing(created), input(5));
    const mug = steps.find(({ id }) => id === variantId('mug'));
    expect(mug).to.deep.equal({
      target: 'inventory',
      step: 'reserve',
      id: variantId('mug'),
      attempt: 1,
      command: {
        type: 'ReserveStock',
        data: {
          ...stockItem('mug'),
          reservation_id: deriveId('reservation', order_id, variantId('mug'), 1),
          order_id,
          quantity: 1,
          expires_at: at(5 + 900),
          low_stock_threshold: 0,
        },
        metadata: { now: at(5) },
      },
    });
  });

  it('to pay carry the deadline that was recorded and the key the provider knows the charge by', () => {
    const state = knowing(created, ...bothReserved, started('reserved', at(600)));
    expect(nextSteps(state, input(30))).to.deep.equal([
      {
        target: 'payment',
        step: 'initiate',
        id: payment_id,
        attempt: 1,
        command: { type: 'InitiatePayment', data: initiated.data, metadata: { now: at(30) } },
      },
    ]);
    const charge = { attempt: 1, provider_key: `${order_id}:1`, order_id, payment_id, amount: total, currency: 'GBP' };
    expect(
      nextSteps(knowing(created, ...bothReserved, started('reserved', at(600)), initiated), input(30)),
    ).to.deep.equal([
      {
        target: 'provider',
        step: 'charge',
        id: payment_id,
        attempt: 1,
        charge: { ...charge, payment_method: 'pm_card_visa' },
      },
    ]);
  });

  it('of a compensation name the event that made it necessary', () => {
    const state = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, declined);
    const [step] = nextSteps(state, input());
    expect(step?.target === 'fulfilment' && step.command.data).to.deep.equal({
      order_id,
      step: 'release',
      attempt: 1,
      because: deriveId('event', 5),
    });
  });
});

describe('a reservation that lapsed before it was confirmed', () => {
  it('is taken anew under the next attempt', () => {
    const { world, process, until } = shop({ mug: 1, cup: 2 });
    until('inventory confirm cup 1');
    world.seconds = 16 * minutes;
    world.handle('inventory', variantId('cup'), {
      type: 'ExpireReservations',
      data: stockItem('cup'),
      metadata: world.metadata,
    });
    expect(story(world, process)).to.deep.equal([
      ['inventory confirm cup 1', 'inventory confirm mug 1'],
      ['inventory reserve cup 2'],
      ['inventory confirm cup 2'],
      ['order confirm'],
      ['fulfilment end'],
    ]);
  });

  it('and is sold: what was confirmed comes back, then the money, then the order fails', () => {
    const { world, process, until } = shop({ mug: 1, cup: 2 });
    until('inventory confirm cup 1');
    world.seconds = 16 * minutes;
    world.buyOut('cup');
    expect(story(world, process)).to.deep.equal([
      ['inventory confirm cup 1', 'inventory confirm mug 1'],
      ['inventory reserve cup 2'],
      ['fulfilment undo_confirmation'],
      ['inventory restock mug 1'],
      ['fulfilment refund'],
      ['payment request_refund'],
      ['provider refund'],
      ['payment record_refund'],
      ['order fail'],
      ['fulfilment end'],
    ]);
    expect(world.log.find(({ type }) => type === 'order.failed')?.data).to.include({
      stage: 'confirming',
      reason: 'reservation_lapsed',
    });
  });

  it('is undone in the order restock, refund, release, fail', () => {
    const lines = [...two, { variant: 'jug', quantity: 1 }];
    const { world, process, until } = shop({ mug: 1, cup: 2, jug: 1 }, lines);
    until('inventory confirm cup 1');
    world.seconds = 16 * minutes;
    world.buyOut('cup');
    // The jug lapses too, but is free: it is held under its second attempt when the cup is refused.
    world.handle('inventory', variantId('jug'), {
      type: 'ExpireReservations',
      data: stockItem('jug'),
      metadata: world.metadata,
    });
    settle(world, [process], 'no webhooks');
    const undone = [
      'inventory.restocked',
      'payment.refunded',
      'inventory.released',
      'order.failed',
      'fulfilment.ended',
    ];
    const own = world.log
      .filter(({ data }) => !('reason' in data) || data.reason !== 'expired')
      .map(({ type }) => type);
    expect(own.filter((type) => undone.includes(type))).to.deep.equal(undone);
  });

  it('is given up after three times', () => {
    const state = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, success, paid);
    const lapsed = (attempt: number): ProcessState => ({
      ...state,
      stock: state.stock.set(variantId('cup'), {
        item: stockItem('cup'),
        quantity: 2,
        attempt,
        status: 'lapsed',
      }),
    });
    expect(stepsOf(lapsed(2))).to.include('inventory reserve cup 3');
    expect(stepsOf(lapsed(3))).to.deep.equal(['fulfilment refund']);
  });

  it('while the answer to another confirmation was lost: that stock comes back as well', () => {
    const { world, process, until } = shop({ mug: 1, cup: 2 });
    until('inventory confirm cup 1');
    world.seconds = 16 * minutes;
    world.buyOut('cup');
    // The mug is confirmed, but nobody hears of it before the cup is refused.
    for (let n = 0; n < 4; n += 1) {
      const next = nextSteps(process.state, input(world.seconds));
      const mug = next.findIndex(({ id, step }) => id === variantId('mug') && step === 'confirm');
      if (mug === -1) break;
      process.step('error after', mug);
      for (let rest = 1; rest < next.length; rest += 1) process.step();
    }
    settle(world, [process], 'no webhooks');
    expect(process.state.ended).to.equal('failed');
    expect(world.state('inventory', variantId('mug')).available).to.equal(1);
  });
});

describe('what a process hears of others', () => {
  const state = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, success, paid);

  it('changes nothing: two orders do not interfere', () => {
    const others: ProcessEvent[] = [
      stock('mug', 'inventory.released', 'b'),
      stock('mug', 'inventory.confirmed', 'b'),
      { ...cancelled, data: { ...cancelled.data, order_id: orderId('b') } } as ProcessEvent,
      { ...declined, data: { ...declined.data, order_id: orderId('b') } } as ProcessEvent,
      { ...ended('failed'), data: { order_id: orderId('b'), outcome: 'failed' } } as ProcessEvent,
      { ...orderCreated('b', one) },
    ];
    for (const event of others) expect(evolveProcess(state, event), event.type).to.equal(state);
  });

  it('in the answer to its own command does not hide that the command was true already', () => {
    const confirm = nextSteps(state, input()).find(({ id }) => id === variantId('mug'));
    if (confirm?.target !== 'inventory') throw new Error('no stock step');
    const next = acknowledge(state, confirm, [stock('mug', 'inventory.released', 'b')], [deriveId('x')]);
    expect(next.stock.get(variantId('mug'))?.status).to.equal('confirmed');
  });

  it('side by side, one order of two gets the last piece and the other fails', () => {
    const { world, process } = shop({ mug: 1 }, one);
    const other = place(world, { name: 'b', lines: one, script: 'captured' });
    settle(world, [process, other], 'no webhooks');
    expect([process.state.ended, other.state.ended]).to.deep.equal(['confirmed', 'failed']);
    expect([...world.captures.values()].map((capture) => capture.order_id)).to.deep.equal([process.id]);
  });
});

describe('an order that failed but did not end', () => {
  it('ends', () => {
    const state = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, declined, failed);
    const gone = [stock('mug', 'inventory.released'), stock('cup', 'inventory.released')];
    expect(stepsOf(gone.reduce<ProcessState>((next, event) => evolveProcess(next, event), state))).to.deep.equal([
      'fulfilment end',
    ]);
  });

  it('and is confirmed by all its stock only', () => {
    const almost = knowing(created, ...bothReserved, started('reserved', at(600)), initiated, success, paid);
    expect(stepsOf(evolveProcess(almost, stock('mug', 'inventory.confirmed')))).to.deep.equal([
      'inventory confirm cup 1',
    ]);
    const all = bothConfirmed.reduce<ProcessState>((next, event) => evolveProcess(next, event), almost);
    expect(stepsOf(all)).to.deep.equal(['order confirm']);
  });
});
