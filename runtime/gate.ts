/** Lets so many through at a time; the others wait, first come first served. */
export interface Gate {
  /** @returns undefined where there is room at once, else what to wait for. Whoever came in leaves again. */
  enter(): Promise<void> | undefined;
  leave(): void;
  /** How many wait. */
  waiting(): number;
}

export function createGate(width: number): Gate {
  let room = width;
  const waiting: (() => void)[] = [];
  return {
    enter() {
      if (room === 0) return new Promise((resolve) => void waiting.push(resolve));
      room -= 1;
      return undefined;
    },
    leave() {
      const next = waiting.shift();
      if (next === undefined) room += 1;
      else next();
    },
    waiting: () => waiting.length,
  };
}

/** Does work inside of a gate. */
export async function within<T>(gate: Gate, work: () => Promise<T>): Promise<T> {
  const turn = gate.enter();
  if (turn !== undefined) await turn;
  try {
    return await work();
  } finally {
    gate.leave();
  }
}
