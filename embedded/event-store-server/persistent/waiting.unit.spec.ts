import { expect } from 'chai';
import fc from 'fast-check';
import type { Message } from './message.js';
import { Waiting } from './waiting.js';

const message = (sequence: number, isReplayed = false, id = `${isReplayed ? 'r' : 's'}${sequence}`): Message => ({
  id,
  position: sequence,
  event: Buffer.alloc(100),
  link: undefined,
  sequence,
  isReplayed,
  retries: 0,
});
/** Takes out everything that `wanted` says yes to. */
function taken(waiting: Waiting, wanted: (message: Message) => boolean = () => true): string[] {
  const ids: string[] = [];
  waiting.handOut(
    () => true,
    (each) => {
      if (wanted(each)) ids.push(each.id);
      return wanted(each);
    },
  );
  return ids;
}

describe('the messages that no consumer has', () => {
  it('are handed out replayed ones first, then as they lie in the source, whatever came and went (seeded)', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'putBack', 'one', 'acknowledge', 'take', 'drop'),
      picks: fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 12 }),
      modulus: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const waiting = new Waiting();
        let [model, returned]: [Message[], Set<string>] = [[], new Set()];
        const remove = (gone: (message: Message) => boolean) => {
          for (const each of model) if (gone(each)) returned.delete(each.id);
          model = model.filter((each) => !gone(each));
        };
        for (const { what, picks, modulus } of steps) {
          const known = new Set(model.map(({ id }) => id));
          const fresh = picks
            .map(([sequence, isReplayed]) => message(sequence, isReplayed))
            .filter(({ id }) => !known.has(id) && known.add(id));
          const isWanted = ({ sequence }: Message) => sequence % modulus === 0;
          if (what === 'add' || what === 'putBack' || what === 'one') {
            const added = what === 'one' ? fresh.slice(0, 1) : fresh;
            waiting[what === 'add' ? 'add' : 'putBack'](added);
            if (what !== 'add') for (const { id } of added) returned.add(id);
            model = [...model, ...added].sort(
              (a, b) => Number(b.isReplayed) - Number(a.isReplayed) || a.sequence - b.sequence,
            );
          } else if (what === 'acknowledge') {
            for (const [sequence, isReplayed] of picks) {
              const { id } = message(sequence, isReplayed);
              expect(waiting.takeReturned(id)?.id).to.equal(returned.has(id) ? id : undefined);
              if (returned.has(id)) remove((each) => each.id === id);
            }
          } else if (what === 'drop') {
            waiting.keepReplayed();
            remove(({ isReplayed }) => !isReplayed);
          } else {
            expect(taken(waiting, isWanted)).to.deep.equal(model.filter(isWanted).map(({ id }) => id));
            remove(isWanted);
          }
          expect([waiting.size, waiting.returnedCount]).to.deep.equal([model.length, returned.size]);
        }
        expect(taken(waiting)).to.deep.equal(model.map(({ id }) => id));
        expect(waiting.room(5)).to.equal(5);
      }),
      { numRuns: 300 },
    );
  });

  it('are as many as the settings allow, and never more than 10,000 or 32 MiB', () => {
    const waiting = new Waiting();
    waiting.add([message(1), message(2)]);
    expect(waiting.room(5)).to.equal(3);
    expect(waiting.room(1_000_000)).to.equal(9_998);
    waiting.add([{ ...message(3), event: Buffer.alloc(33 * 1024 * 1024) }]);
    expect(waiting.room(1_000_000)).to.equal(0);
    taken(waiting, ({ sequence }) => sequence === 3);
    expect(waiting.room(5)).to.equal(3);
  });

  it('are all still there when handing one out fails', () => {
    const waiting = new Waiting();
    waiting.add([1, 2, 3, 4].map((sequence) => message(sequence)));
    const failing = () =>
      waiting.handOut(
        () => true,
        ({ sequence }) => {
          if (sequence === 3) throw new Error('a fault');
          return sequence === 2;
        },
      );
    expect(failing).to.throw();
    expect(taken(waiting)).to.deep.equal(['s1', 's3', 's4']);
  });

  it('can be two of one id: an acknowledgement settles one of them', () => {
    const waiting = new Waiting();
    waiting.putBack([message(1, false, 'same'), message(2, false, 'same')]);
    expect(waiting.takeReturned('same')?.sequence).to.equal(1);
    expect(waiting.takeReturned('same')).to.equal(undefined);
    expect(taken(waiting)).to.deep.equal(['same']);
  });
});
