/**
 * Something that is done again and again, each time anew: the next append, the next command.
 *
 * @param isOver whether the time is up: what has not come through by then may be given up
 * @returns `false` where it was given up
 */
export type Repeated = (isOver: () => boolean) => Promise<unknown>;

/**
 * Keeps so many operations in flight for a while: each lane begins the next when its last is done, and begins one at
 * least.
 *
 * @param laneOf what a lane repeats; asked once for each
 * @returns how many were done
 */
export async function inLanes(lanes: number, ms: number, laneOf: () => Repeated): Promise<number> {
  const all = Array.from({ length: lanes }, laneOf);
  const end = performance.now() + ms;
  const isOver = () => performance.now() >= end;
  let done = 0;
  const run = async (once: Repeated) => {
    do {
      if ((await once(isOver)) !== false) done += 1;
    } while (!isOver());
  };
  await Promise.all(all.map(run));
  return done;
}
