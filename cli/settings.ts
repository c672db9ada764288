import { CommandFault } from './fault.js';

/** A variable of the environment; one that is empty is none. */
export function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** @returns milliseconds @throws CommandFault where a flag's text is no number of seconds, 0 or more */
export function secondsOf(text: string, flag: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0)) throw new CommandFault(`${flag} must be a number of seconds.`);
  return seconds * 1000;
}
