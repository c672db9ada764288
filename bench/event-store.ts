import { measureAppends } from './event-store/appends.js';
import { measureCatchUp } from './event-store/catch-up.js';
import { writeLog } from './event-store/data.js';
import { measureMemory } from './event-store/memory.js';
import { measureStart } from './event-store/start.js';
import type { Question } from './harness.js';
import { canMeter } from './meter.js';

const eventsPerStream = 10;

type SizeName = 'large' | 'small' | 'tiny' | 'streams' | 'arm-ms' | 'memory-rounds' | 'sample-ms';

export const eventStore: Question<SizeName> = {
  name: 'event-store',
  about: 'the embedded event store, in a process of its own, under the official client',
  sizes: {
    large: { default: 1_000_000, about: 'events of the large log' },
    small: { default: 100_000, about: 'events of the small log' },
    tiny: { default: 10_000, about: 'events of the log that starts are compared with' },
    streams: { default: 100_000, about: 'streams of the log that has one event in each' },
    'arm-ms': { default: 1_500, about: 'milliseconds that an arm appends in each round' },
    'memory-rounds': { default: 3, about: 'new processes whose memory is looked at, for each log' },
    'sample-ms': { default: 200, about: "milliseconds between two looks at a server's memory" },
  },
  async run(harness) {
    if (!canMeter) throw new Error("The server's CPU and memory are read from /proc, which only Linux has.");
    const { large, small, tiny, streams } = harness.sizes;
    if (large < small) throw new Error('The large log is to have at least as many events as the small one.');
    const write = (events: number, count = Math.ceil(events / eventsPerStream)) => writeLog(harness, events, count);
    const appends = await measureAppends(harness);
    const logs = {
      tiny: await write(tiny),
      small: await write(small),
      large: await write(large),
      many: await write(streams, streams),
    };
    return [
      ...appends,
      ...(await measureStart(harness, logs.large, logs.tiny)),
      ...(await measureCatchUp(harness, logs.large, logs.small)),
      ...(await measureMemory(harness, logs)),
    ];
  },
};
