import { expect } from 'chai';
import { z } from 'zod';
import { ConfigError, loadConfig, logLevel, port, secret } from './config.js';

const schema = z.object({
  PORT: port.default(8080),
  URL: z.url(),
  KEY: secret,
  MODE: z.enum(['fast', 'safe']).optional(),
  LOG_LEVEL: logLevel,
});
const key = 'ab'.repeat(32);
const load = (env: NodeJS.ProcessEnv) => loadConfig(schema, env);

function faultOf(env: NodeJS.ProcessEnv): ConfigError {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
const linesOf = (env: NodeJS.ProcessEnv) =>
  faultOf(env)
    .message.split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/:.*$/, ''));

describe('the configuration', () => {
  it('is read from the environment, with its defaults', () => {
    expect(load({ URL: 'http://a', KEY: key, UNRELATED: 'x' })).to.deep.equal({
      PORT: 8080,
      URL: 'http://a',
      KEY: key,
      LOG_LEVEL: 'info',
    });
    expect(load({ URL: 'http://a', KEY: key, PORT: '0', MODE: 'safe', LOG_LEVEL: 'silent' })).to.deep.include({
      PORT: 0,
      MODE: 'safe',
      LOG_LEVEL: 'silent',
    });
  });

  it('names every fault at once', () => {
    const env = { PORT: '70000', URL: 'nowhere', KEY: 'short', MODE: 'slow', LOG_LEVEL: 'loud' };
    expect(linesOf(env)).to.have.members(['PORT', 'URL', 'KEY', 'MODE', 'LOG_LEVEL']);
    expect(linesOf({})).to.have.members(['URL', 'KEY']);
  });

  it('takes an empty variable for an absent one', () => {
    expect(load({ URL: 'http://a', KEY: key, PORT: '', MODE: '', LOG_LEVEL: '' })).to.deep.include({
      PORT: 8080,
      LOG_LEVEL: 'info',
    });
    expect(linesOf({ URL: '', KEY: '' })).to.have.members(['URL', 'KEY']);
  });

  it('never shows a value: it may be a secret', () => {
    const values = {
      PORT: '91827',
      URL: 'hunter2-url',
      KEY: 'hunter2-key',
      MODE: 'hunter2-mode',
      LOG_LEVEL: 'hunter2-level',
    };
    const fault = faultOf(values);
    for (const value of Object.values(values)) {
      expect(fault.message).to.not.include(value);
      expect(String(fault.stack)).to.not.include(value);
    }
  });

  for (const [value, taken] of [
    ['0', true],
    ['65535', true],
    ['65536', false],
    ['-1', false],
    ['80.5', false],
    ['http', false],
    ['Infinity', false],
  ] as const) {
    it(`${taken ? 'takes' : 'refuses'} ${value} as a port`, () => {
      expect(port.safeParse(value).success).to.equal(taken);
    });
  }

  for (const [value, taken] of [
    [key, true],
    [key.toUpperCase(), true],
    [key.slice(1), false],
    [`${key}a`, false],
    [`${key}\n`, false],
    [`g${key.slice(1)}`, false],
  ] as const) {
    it(`${taken ? 'takes' : 'refuses'} ${JSON.stringify(value.slice(60))} at the end of a secret of ${value.length}`, () => {
      expect(secret.safeParse(value).success).to.equal(taken);
    });
  }
});
