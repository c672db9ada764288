/** Something that is done again and again, each time anew: the next append, the next command. */
export type Repeated = () => Promise<unknown>;

/**
 * Keeps so many operations in flight for a while: each lane begins the next when its last is done, and does one at least.
 *
 * @param laneOf what a lane repeats; asked once for each
 * @returns how many were done
 */
export async function inLanes(lanes: number, ms: number, laneOf: () => Repeated): Promise<number> {
  const all = Array.from({ length: lanes }, laneOf);
  const end = performance.now() + ms;
  let done = 0;
  const run = async (once: Repeated) => {
    do {
      await once();
      done += 1;
    } while (performance.now() < end);
  };
  await Promise.all(all.map(run));
  return done;
}
