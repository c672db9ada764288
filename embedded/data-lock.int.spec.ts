import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { mountSmallDisk } from '../test/support/small-disk.js';
import { DiskFullError, lockDataDir } from './data-lock.js';

describe('the lock of a data directory', () => {
  it('is refused where the disk has not a byte free, leaves nothing there, and is had once there is room', function () {
    const disk = mountSmallDisk();
    if (disk === undefined) this.skip();
    try {
      const dataDir = join(disk.path, 'data');
      const ballast = join(disk.path, 'ballast');
      mkdirSync(dataDir);
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
      expect(() => lockDataDir(dataDir)).to.throw(DiskFullError, dataDir);
      expect(readdirSync(dataDir)).to.deep.equal([]);
      rmSync(ballast);
      const release = lockDataDir(dataDir);
      expect(readdirSync(dataDir)).to.deep.equal(['server.lock']);
      release();
      expect(readdirSync(dataDir)).to.deep.equal([]);
    } finally {
      disk.unmount();
    }
  });
});
