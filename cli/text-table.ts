/**
 * Lines of cells as aligned text, a line each.
 *
 * @param lines all as long as the first
 * @param rightAligned columns whose cells stand on the right, as numbers do
 */
export function textTable(
  lines: readonly (readonly string[])[],
  rightAligned: ReadonlySet<number> = new Set(),
): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    rightAligned.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return lines.map((line) => line.map(pad).join('  ').trimEnd());
}
