import type { Question } from './harness.js';
import { canMeter } from './meter.js';
import { openServedLog } from './shop/served-log.js';
import { measureCachedState } from './write-path/cached-state.js';
import { measureOverhead } from './write-path/handler-overhead.js';
import { measureHotStream } from './write-path/hot-stream.js';

export const writePath: Question<'arm-ms'> = {
  name: 'write-path',
  about: "the shop's command handler, on an embedded event store in a process of its own",
  sizes: {
    'arm-ms': { default: 1_000, about: 'milliseconds that an arm writes in each round' },
  },
  async run(harness) {
    if (!canMeter) throw new Error("The server's CPU is read from /proc, which only Linux has.");
    const served = await openServedLog(harness, await harness.folder());
    return [
      ...(await measureOverhead(harness, served)),
      ...(await measureCachedState(harness, served)),
      ...(await measureHotStream(harness, served)),
    ];
  },
};
