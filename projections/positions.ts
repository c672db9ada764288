/** The position furthest back; undefined, the start of the log, where one has seen nothing. */
export function furthestBack(positions: readonly (bigint | undefined)[]): bigint | undefined {
  let least = positions[0];
  for (const position of positions) {
    if (position === undefined || least === undefined) return undefined;
    if (position < least) least = position;
  }
  return least;
}
