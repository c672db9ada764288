/** What a store did that it must never do; the message names it. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** @throws Violation unless the condition holds */
export function demand(condition: boolean, what: () => string): void {
  if (!condition) throw new Violation(what());
}
