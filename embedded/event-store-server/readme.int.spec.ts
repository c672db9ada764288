import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isTitled, projectFolder } from '../../test/support/titled-tests.js';

interface Shown {
  file: string;
  /** the title of the test; an ellipsis stands for what the test fills in */
  title: string;
}

const folders = { contract: 'test/contract/event-store', torture: 'test/torture', bench: 'bench' };

/** The rows of the table of cases; a row without a file goes on with the one above. */
function shownBy(readme: string): Shown[] {
  const [, table = ''] = /\n\| case +\| file +\| test +\|\n(.*?)\n\n/s.exec(readme) ?? [];
  let file = '';
  return table
    .split('\n')
    .slice(1)
    .map((row) => {
      const [, , named = '', title = ''] = row.split('|').map((cell) => cell.trim());
      if (named !== '') file = named.replaceAll('`', '');
      return { file, title };
    });
}

describe('the page about the embedded event store', () => {
  const root = projectFolder();
  const here = join(root, 'embedded/event-store-server');

  it('names tests that exist', () => {
    const shown = shownBy(readFileSync(join(here, 'README.md'), 'utf8'));
    expect(shown.length).to.be.greaterThan(50);
    const missing = shown.filter(({ file, title }) => {
      const [folder = '', ...rest] = file.split('/');
      const path = folder in folders ? join(root, folders[folder as keyof typeof folders], ...rest) : join(here, file);
      return title === '' || !existsSync(path) || !isTitled(readFileSync(path, 'utf8'), title);
    });
    expect(missing).to.deep.equal([]);
  });
});
