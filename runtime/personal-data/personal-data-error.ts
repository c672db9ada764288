export type PersonalDataFault =
  /** The document store does not answer and the key is not in the cache. */
  | 'data-keys-unavailable'
  /** The subject's key was destroyed: nothing may be sealed for it any more. */
  | 'subject-erased'
  | 'subject-malformed'
  /** The sealed value was changed, or belongs to another subject or field. */
  | 'sealed-value-unreadable'
  /** The wrapped key was changed, or was wrapped with another master key. */
  | 'data-key-unreadable';

/** A fault in sealing or opening personal data. The message holds none of it. */
export class PersonalDataError extends Error {
  override readonly name = 'PersonalDataError';

  constructor(
    readonly code: PersonalDataFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
