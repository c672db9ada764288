import { expect } from 'chai';
import fc from 'fast-check';
import type { ProcessPolicy } from './dispatch.js';
import { audit, expectUndoneInReverse, expireAll } from './model-audit-fixture.js';
import { type Fault, faults, Process, place, settle, World } from './model-fixture.js';
import { type Line, minutes } from './process-fixture.js';
import type { Script } from './provider-fixture.js';

const two: readonly Line[] = [
  { variant: 'mug', quantity: 1 },
  { variant: 'cup', quantity: 2 },
];

describe('a process that crashes at every point', () => {
  interface Happening {
    readonly script: Script;
    readonly stock: Readonly<Record<string, number>>;
    readonly price?: number;
    /** Happens before the n-th dispatch. */
    readonly cancelAt?: number;
    readonly jump?: number;
    readonly buyOut?: readonly string[];
    /** The customer pays with another card whenever that is possible, at most so often. */
    readonly retries?: number;
    readonly policy?: Partial<ProcessPolicy>;
  }
  const plenty = { mug: 5, cup: 5 };
  const scarce = { mug: 1, cup: 2 };
  const cases: Record<string, Happening> = {
    'that succeeds': { script: 'captured', stock: plenty },
    'of an order that costs nothing': { script: 'captured', stock: plenty, price: 0 },
    'whose card is stolen': { script: 'stolen', stock: plenty },
    'whose card is declined until the deadline': { script: 'declined', stock: plenty },
    'whose cards are declined one after the other': { script: 'declined', stock: plenty, retries: 2 },
    'whose second card is good': { script: 'declined once', stock: scarce, retries: 1 },
    'whose first card is taken though it was declined': { script: 'declined and taken', stock: scarce, retries: 1 },
    'whose second card comes after its stock lapsed': {
      script: 'declined once',
      stock: scarce,
      retries: 1,
      jump: 6 * minutes,
      policy: { reservationMs: 5 * minutes * 1000, graceMs: -6 * minutes * 1000 },
    },
    'that is held for a minute': { script: 'captured', stock: scarce, policy: { reservationMs: minutes * 1000 } },
    'whose stock is refused': { script: 'captured', stock: { mug: 1, cup: 1 } },
    'while its reservations lapse': { script: 'captured', stock: scarce, jump: 16 * minutes },
    'while one line lapses and is sold': { script: 'captured', stock: scarce, jump: 16 * minutes, buyOut: ['cup'] },
    'while all lapse and are sold': { script: 'captured', stock: scarce, jump: 16 * minutes, buyOut: ['mug', 'cup'] },
    'while payment times out': { script: 'captured', stock: plenty, jump: 11 * minutes },
    'whose refund is refused': {
      script: 'refund refused',
      stock: scarce,
      jump: 16 * minutes,
      buyOut: ['mug'],
    },
  };
  const happened = new Set<string>();
  interface Plan {
    readonly faults?: Readonly<Record<number, Fault>>;
    readonly cancelAt?: number;
    /** Time passes while the process lives; else it passes while the first crash lasts. */
    readonly jumpAt?: number;
  }
  const run = ({ price, script, stock, jump, buyOut = [], ...more }: Happening, plan: Plan): Process => {
    const world = new World(more.policy);
    let retries = more.retries ?? 0;
    for (const [variant, quantity] of Object.entries(stock)) world.receive(variant, quantity);
    const process = place(world, { name: 'a', lines: two, script, ...(price === undefined ? {} : { price }) });
    let jumped = jump === undefined;
    const pass = () => {
      world.seconds += jumped ? 0 : (jump ?? 0);
      for (const variant of jumped ? [] : buyOut) world.buyOut(variant);
      jumped = true;
    };
    for (let n = 0; n < 60; n += 1) {
      if (n === plan.cancelAt) {
        world.cancel(process.id);
        process.catchUp();
      }
      if (n === plan.jumpAt) pass();
      const fault = plan.faults?.[n] ?? 'none';
      if (!process.step(fault)) {
        // It waits for the customer.
        if (retries === 0) break;
        if (jumped) {
          retries -= 1;
          world.retry(process.id);
        }
        pass();
        process.catchUp();
      }
      if (!fault.startsWith('crash') || jumped) continue;
      pass();
      process.crash();
    }
    const erred = Object.values(plan.faults ?? {}).some((fault) => fault.startsWith('error'));
    settle(world, [process], erred ? 'late webhooks' : 'no webhooks');
    if (erred) expireAll(world, Object.keys(stock));
    audit(world, [process], stock);
    for (const { type } of world.log) happened.add(type);
    if (!erred) expectUndoneInReverse(world, process.id);
    return process;
  };
  const crashes = ['crash before', 'crash after'] as const;

  for (const [what, happening] of Object.entries(cases)) {
    const pointsOf = () => Array.from({ length: run(happening, {}).done.length + 4 }, (_, n) => n);

    it(`${what}, once and twice`, () => {
      const points = pointsOf();
      for (const fault of crashes) {
        for (const first of points) {
          run(happening, { faults: { [first]: fault } });
          for (const second of points.slice(first + 1)) {
            run(happening, { faults: { [first]: fault, [second]: fault } });
            run(happening, { faults: { [first]: fault, [second]: 'error after' } });
          }
        }
      }
    }).timeout(20_000);

    it(`${what}, and is cancelled at every point`, () => {
      const points = pointsOf();
      for (const cancelAt of points) {
        run(happening, { cancelAt });
        for (const n of points) for (const fault of crashes) run(happening, { faults: { [n]: fault }, cancelAt });
      }
    }).timeout(20_000);

    it(`${what}, and lives on while time passes and answers are lost`, () => {
      const points = pointsOf();
      for (const jumpAt of points) {
        run(happening, { jumpAt });
        for (const n of points) {
          for (const fault of ['error before', 'error after', 'crash after'] as const) {
            run(happening, { faults: { [n]: fault }, jumpAt });
          }
        }
      }
    }).timeout(20_000);
  }

  it('has met everything that can happen to an order', () => {
    expect([...happened]).to.include.members([
      'inventory.reservation.failed',
      'inventory.confirmation.failed',
      'inventory.released',
      'inventory.extended',
      'inventory.restocked',
      'payment.failed',
      'payment.refunded',
      'payment.refund_failed',
      'order.confirmed',
      'order.failed',
      'order.cancelled',
    ]);
  });
});

describe('any number of orders, under any faults', () => {
  const names = ['a', 'b', 'c'];
  const variants = ['mug', 'cup'];
  const line = fc.record({ variant: fc.constantFrom(...variants), quantity: fc.integer({ min: 1, max: 2 }) });
  const placed = fc.record({
    lines: fc.uniqueArray(line, { minLength: 1, maxLength: 2, selector: ({ variant }) => variant }),
    price: fc.constantFrom(1000, 1000, 1000, 0),
    script: fc.constantFrom<Script>(
      'captured',
      'captured',
      'declined',
      'declined once',
      'declined and taken',
      'stolen',
      'refund refused',
    ),
  });
  const scenario = (possible: readonly Fault[]) =>
    fc.record({
      orders: fc.tuple(placed, placed, placed),
      // Reservations that outlive the payment, that are extended, and that lapse while the customer may still pay.
      policy: fc.constantFrom<Partial<ProcessPolicy>>(
        {},
        { reservationMs: minutes * 1000 },
        { reservationMs: 5 * minutes * 1000, graceMs: -6 * minutes * 1000 },
      ),
      stock: fc.record({ mug: fc.integer({ min: 0, max: 5 }), cup: fc.integer({ min: 1, max: 5 }) }),
      actions: fc.array(
        fc.oneof(
          {
            weight: 30,
            arbitrary: fc.record({
              do: fc.constant('step' as const),
              order: fc.nat(2),
              second: fc.boolean(),
              // Most steps succeed, else nothing comes to the points where it is interesting.
              fault: fc.oneof(
                { weight: 3, arbitrary: fc.constant<Fault>('none') },
                { weight: 1, arbitrary: fc.constantFrom(...possible) },
              ),
              pick: fc.nat(3),
            }),
          },
          { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), order: fc.nat(2) }) },
          { weight: 3, arbitrary: fc.record({ do: fc.constant('retry' as const), order: fc.nat(2) }) },
          {
            weight: 2,
            arbitrary: fc.record({ do: fc.constant('hear' as const), order: fc.nat(2), second: fc.boolean() }),
          },
          { weight: 2, arbitrary: fc.record({ do: fc.constant('webhook' as const), order: fc.nat(2) }) },
          {
            weight: 2,
            arbitrary: fc.record({
              do: fc.constant('jump' as const),
              minutes: fc.constantFrom(1, 5, 11, 16, -5),
            }),
          },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('buy out' as const), variant: fc.constantFrom(...variants) }),
          },
        ),
        { minLength: 10, maxLength: 80 },
      ),
    });
  type Scenario = ReturnType<typeof scenario> extends fc.Arbitrary<infer T> ? T : never;

  const play = (
    { orders, stock, policy, actions }: Scenario,
    runners: 1 | 2 = 1,
  ): { world: World; processes: readonly Process[] } => {
    const world = new World(policy);
    for (const [variant, quantity] of Object.entries(stock)) if (quantity > 0) world.receive(variant, quantity);
    const first = orders.map((order, i) => place(world, { name: names[i] ?? '', ...order }));
    const second = runners === 1 ? [] : first.map(({ id }) => new Process(world, id));
    for (const action of actions) {
      const runner = 'second' in action && action.second && runners === 2 ? second : first;
      const process = 'order' in action ? runner[action.order] : undefined;
      if (action.do === 'step') process?.step(action.fault, action.pick);
      if (action.do === 'hear') process?.catchUp();
      if (action.do === 'cancel' && process !== undefined) world.cancel(process.id);
      if (action.do === 'retry' && process !== undefined) world.retry(process.id);
      if (action.do === 'webhook' && process !== undefined && world.webhook(process.id)) {
        if (process.state.ended !== undefined) process.crash();
      }
      if (action.do === 'jump') world.seconds += action.minutes * minutes;
      if (action.do === 'buy out') world.buyOut(action.variant);
    }
    settle(world, [...first, ...second], 'late webhooks');
    return { world, processes: first };
  };

  it('end, and nothing of stock or money is lost, when processes crash', () => {
    fc.assert(
      fc.property(scenario(['none', 'crash before', 'crash after']), (script) => {
        const { world, processes } = play(script);
        audit(world, processes, script.stock);
        for (const { id } of processes) expectUndoneInReverse(world, id);
      }),
      { numRuns: 400 },
    );
  }).timeout(20_000);

  it('end, and nothing is lost but by expiry, when answers are lost as well', () => {
    fc.assert(
      fc.property(scenario(faults), (script) => {
        const { world, processes } = play(script);
        expireAll(world, variants);
        audit(world, processes, script.stock);
      }),
      { numRuns: 400 },
    );
  }).timeout(20_000);

  it('end, and nothing is lost but by expiry, when two runners work on them at once', () => {
    fc.assert(
      fc.property(scenario(faults), (script) => {
        const { world, processes } = play(script, 2);
        expireAll(world, variants);
        audit(world, processes, script.stock);
      }),
      { numRuns: 400 },
    );
  }).timeout(20_000);
});
