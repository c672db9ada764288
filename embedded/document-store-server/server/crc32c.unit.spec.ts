import { expect } from 'chai';
import { crc32c } from './crc32c.js';

describe('CRC-32C', () => {
  it('gives the published values', () => {
    expect(crc32c(Buffer.from('123456789'))).to.equal(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).to.equal(0x8a9136aa);
    expect(crc32c(Buffer.alloc(0))).to.equal(0);
  });
});
