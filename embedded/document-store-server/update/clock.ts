/** The time as `$currentDate` and empty timestamps need it. */
export interface Clock {
  /** milliseconds since 1970 */
  now(): number;
  /** a timestamp's 64 bits, greater than all given before: seconds above, a count within the second below */
  tick(): bigint;
}

/** @param now milliseconds since 1970; where it stands still or goes back, ticks go on counting */
export function createClock(now: () => number): Clock {
  let second = 0;
  let count = 0;
  return {
    now,
    tick() {
      const current = Math.floor(now() / 1000);
      if (current > second) {
        second = current;
        count = 1;
      } else {
        count++;
      }
      return (BigInt(second) << 32n) | BigInt(count);
    },
  };
}
