import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The project's folder, also when the compiled copy runs. */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/**
 * Whether a spec has a test of a title.
 *
 * @param source the text of the spec
 * @param title an ellipsis stands for what the test fills in
 */
export function isTitled(source: string, title: string): boolean {
  const parts = title.split('…').filter((part) => part.trim() !== '');
  return source.split('\n').some((line) => {
    let at = line.search(/\bit\(/);
    for (const part of parts) {
      if (at < 0) return false;
      at = line.indexOf(part, at);
      if (at >= 0) at += part.length;
    }
    return at >= 0;
  });
}

/** Whether a spec has a group of tests of a title, as an argument of `describe`, in a list of titles or as a key of cases. */
export function isGroupTitled(source: string, title: string): boolean {
  const quoted = [`'${title}'`, `\`${title}\``];
  return source.split('\n').some((line) => {
    const text = line.trim();
    if (text.startsWith(`${title}: `) || quoted.some((key) => text.startsWith(`${key}: `))) return true;
    const isList = text.startsWith('[') || text.startsWith('for (');
    return (text.includes('describe(') || isList) && quoted.some((literal) => text.includes(literal));
  });
}
