import type * as streamTypes from '@eventstore/db-client/generated/streams_pb.js';
import { streamName } from './append-request.js';
import { invalid, unimplemented } from './errors.js';
import { createFilter, type Filter, type FilterSpec } from './filter.js';
import type { Direction } from './reader.js';

/** Where to begin: a revision or position, or one of the ends. */
export type Start = number | 'start' | 'end';

export interface ReadRequest {
  /** undefined reads the whole log */
  stream: string | undefined;
  start: Start;
  direction: Direction;
  /** Infinity for a subscription */
  count: number;
  isSubscription: boolean;
  filter: Filter | undefined;
  resolveLinks: boolean;
}

const defaultWindow = 32;

/** @throws CallError, FilterError for what cannot be served */
export function parseReadRequest(request: streamTypes.ReadReq): ReadRequest {
  const options = request.getOptions();
  if (options === undefined) throw invalid('The read carries no options.');
  if (options.getUuidOption()?.hasStructured()) throw unimplemented('Event ids are served as strings only.');
  const isSubscription = options.hasSubscription();
  const stream = options.getStream();
  const all = options.getAll();
  if (stream === undefined && all === undefined) throw invalid('The read names neither a stream nor $all.');
  const filter = options.getFilter();
  if (stream !== undefined && filter !== undefined) throw invalid('Only reads of $all can be filtered.');
  const direction = options.getReadDirection() === 1 ? 'backwards' : 'forwards';
  if (isSubscription && direction === 'backwards') throw invalid('A subscription cannot run backwards.');
  return {
    stream: stream === undefined ? undefined : streamName(stream.getStreamIdentifier()),
    start: stream === undefined ? allStart(all) : streamStart(stream),
    direction,
    count: isSubscription ? Number.POSITIVE_INFINITY : safeNumber(options.getCount()),
    isSubscription,
    filter: filter === undefined ? undefined : parseFilter(filter),
    resolveLinks: options.getResolveLinks(),
  };
}

function streamStart(options: streamTypes.ReadReq.Options.StreamOptions): Start {
  if (options.hasRevision()) return safeNumber(options.getRevision());
  return options.hasEnd() ? 'end' : 'start';
}

interface AllOptions {
  getPosition(): { getCommitPosition(): string } | undefined;
  hasEnd(): boolean;
}

/** Where to begin in the whole log; the start unless told otherwise. */
export function allStart(options: AllOptions | undefined): Start {
  const position = options?.getPosition();
  if (position === undefined) return options?.hasEnd() ? 'end' : 'start';
  // The largest u64 is how other clients say "end".
  if (BigInt(position.getCommitPosition()) === 0xffff_ffff_ffff_ffffn) return 'end';
  return safeNumber(position.getCommitPosition());
}

/** What exceeds 2^53 - 1 exceeds every log. */
export const safeNumber = (text: string): number => Math.min(Number(text), Number.MAX_SAFE_INTEGER);

function parseFilter(options: streamTypes.ReadReq.Options.FilterOptions): Filter {
  const window = options.hasMax() ? options.getMax() : defaultWindow;
  const every = Math.max(1, window) * Math.max(1, options.getCheckpointintervalmultiplier());
  return createFilter(parseFilterSpec(options), every);
}

interface Expression {
  getRegex(): string;
  getPrefixList(): string[];
}

/** What a filter says, in a read or in a persistent subscription. @throws CallError */
export function parseFilterSpec(options: {
  hasStreamIdentifier(): boolean;
  getStreamIdentifier(): Expression | undefined;
  getEventType(): Expression | undefined;
}): FilterSpec {
  const on = options.hasStreamIdentifier() ? 'stream' : 'type';
  const expression = options.getStreamIdentifier() ?? options.getEventType();
  if (expression === undefined) throw invalid('The filter says nothing about streams or event types.');
  const [prefixes, regex] = [expression.getPrefixList(), expression.getRegex()];
  if (regex !== '' && prefixes.length > 0) throw invalid('A filter takes prefixes or a regular expression, not both.');
  if (regex === '' && prefixes.length === 0) {
    throw invalid('The filter has neither a prefix nor a regular expression.');
  }
  return { on, prefixes, regex };
}
