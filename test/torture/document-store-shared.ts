import { demand } from './violation.js';

/** What all writers change at the same time: counters, and projections that only ever move on. */
export interface Shared {
  add(
    counter: string,
    by: number,
  ): {
    acknowledge(): void;
    /** The store told the counter's value after this addition. @throws Violation when it cannot be that */
    told(value: number): void;
  };
  raise(
    projection: string,
    position: number,
  ): {
    /** done, or refused because the projection was further: it has at least this position from now on */
    answered(): void;
  };
  /** Compares with what is stored when nothing is in flight any more; then takes it for known. @throws Violation */
  settle(counters: ReadonlyMap<string, number>, positions: ReadonlyMap<string, number>): void;
}

export function openShared(): Shared {
  const counters = new Map<string, { least: number; most: number }>();
  const projections = new Map<string, { least: number; sent: Set<number> }>();

  return {
    add(name, by) {
      const counter = counters.get(name) ?? { least: 0, most: 0 };
      counters.set(name, counter);
      counter.most += by;
      const { least } = counter;
      return {
        acknowledge() {
          counter.least += by;
        },
        told(value) {
          demand(
            value >= least + by && value <= counter.most,
            () => `counter ${name} was told as ${value}; it lies between ${least + by} and ${counter.most}`,
          );
        },
      };
    },
    raise(name, position) {
      const projection = projections.get(name) ?? { least: 0, sent: new Set<number>() };
      projections.set(name, projection);
      projection.sent.add(position);
      return {
        answered() {
          projection.least = Math.max(projection.least, position);
        },
      };
    },
    settle(storedCounters, storedPositions) {
      for (const [name, counter] of counters) {
        const value = storedCounters.get(name) ?? 0;
        const { least, most } = counter;
        demand(value >= least && value <= most, () => `counter ${name} is ${value}, not between ${least} and ${most}`);
        Object.assign(counter, { least: value, most: value });
      }
      for (const [name, { least, sent }] of projections) {
        const position = storedPositions.get(name) ?? 0;
        demand(position >= least, () => `${name} is at position ${position}, ${least} was acknowledged`);
        demand(position === 0 || sent.has(position), () => `${name} is at position ${position}, which nobody sent`);
        projections.set(name, { least: position, sent: new Set([position]) });
      }
    },
  };
}
