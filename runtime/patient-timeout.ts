/** A time-out that can begin anew, also after it came. It lasts until it is cleared. */
export interface PatientTimeout {
  refresh(): void;
  clear(): void;
}

const slices = 8;

/**
 * Calls back when so much time has passed, not counting what this process itself stood still: an answer that lies in a
 * socket, because the event loop had no time to read it, is no answer that did not come. Between two slices of the time
 * the loop reads what has come; however long a turn takes, it counts as one slice.
 */
export function patientTimeout(ms: number, late: () => void): PatientTimeout {
  let left = slices;
  const timer = setInterval(() => {
    left -= 1;
    if (left === 0) late();
  }, ms / slices);
  return {
    refresh() {
      left = slices;
    },
    clear: () => clearInterval(timer),
  };
}
