/** A command that cannot be carried out; the message is a sentence that says what to do. */
export class CommandFault extends Error {
  override readonly name = 'CommandFault';
}
