/** The two ways in which the client appends: credentials on a call make it use Append instead of the shared BatchAppend. */
export const appendWays = [
  { way: 'batch append', extra: {} },
  { way: 'classic append', extra: { credentials: { username: 'admin', password: 'changeit' } } },
];
