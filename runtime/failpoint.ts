/** `charge-answered:3` -> die at the third pass of that point. @throws Error for what is no such text */
export function parseFailpoint(text: string | undefined): { name: string; passes: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const [, name, passes] = /^([a-z][a-z-]*):([1-9]\d*)$/.exec(text) ?? [];
  if (name === undefined) throw new Error('FAILPOINT must be a name and a count, such as charge-answered:3');
  return { name, passes: Number(passes) };
}

const armed = parseFailpoint(process.env['FAILPOINT']);
let left = armed?.passes ?? 0;

/**
 * A named point at which a drill can let this process die as by `kill -9`: `FAILPOINT=name:n` in the environment kills it
 * at the n-th pass. Does nothing where the variable is absent.
 */
export const failpoint: (name: string) => void =
  armed === undefined
    ? () => {}
    : (name) => {
        if (name !== armed.name) return;
        left -= 1;
        if (left === 0) process.kill(process.pid, 'SIGKILL');
      };
