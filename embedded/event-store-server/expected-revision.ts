import { type Head, isDeleted } from './head.js';

/** What a writer believes of a stream: a revision, or one of the three words. */
export type Expected = bigint | 'no_stream' | 'stream_exists' | 'any';

export type AppendOutcome =
  | { kind: 'appended'; revision: number; position: number | undefined }
  /** `actual` is -1 when there is no stream */
  | { kind: 'wrong-expected-version'; expected: Expected; actual: number }
  | { kind: 'stream-deleted' };

/** The refusal that tells what the stream is at instead. */
export const wrong = (head: Head, expected: Expected): AppendOutcome => ({
  kind: 'wrong-expected-version',
  expected,
  actual: head.revision,
});

/** @returns the refusal, or undefined when the stream is as its writer believes */
export function checkExpected(head: Head, expected: Expected): AppendOutcome | undefined {
  const exists = head.revision >= 0 && !isDeleted(head);
  if (expected === 'any') return undefined;
  if (expected === 'no_stream') return exists ? wrong(head, expected) : undefined;
  // As EventStoreDB has it: what was deleted is another thing than what never was.
  if (expected === 'stream_exists' && isDeleted(head)) return { kind: 'stream-deleted' };
  if (expected === 'stream_exists') return exists ? undefined : wrong(head, expected);
  return expected === BigInt(head.revision) ? undefined : wrong(head, expected);
}
