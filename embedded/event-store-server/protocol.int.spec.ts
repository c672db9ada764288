import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { collect, openTestStore, type TestStore } from './store-fixture.js';

type BatchReq = InstanceType<typeof streams.BatchAppendReq>;
type BatchResp = InstanceType<typeof streams.BatchAppendResp>;

const correlation = '11111111-2222-4333-8444-555555555555';

/** Requests that the official client never makes. */
describe('a caller that does not keep to the protocol', () => {
  let test: TestStore;
  let client: InstanceType<typeof streamsGrpc.StreamsClient>;
  before(async () => {
    test = await openTestStore();
    client = new streamsGrpc.StreamsClient(`127.0.0.1:${test.store.port}`, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await test.remove();
  });

  const uuid = (text: string) => {
    const id = new shared.UUID();
    id.setString(text);
    return id;
  };
  const identifier = (name: Uint8Array) => {
    const stream = new shared.StreamIdentifier();
    stream.setStreamName(name);
    return stream;
  };
  const proposed = (type?: string) => {
    const message = new streams.BatchAppendReq.ProposedMessage();
    message.setId(uuid('99999999-2222-4333-8444-555555555555'));
    message.getMetadataMap().set('content-type', 'application/json');
    if (type !== undefined) message.getMetadataMap().set('type', type);
    return message;
  };
  const options = (name = 's') => {
    const given = new streams.BatchAppendReq.Options();
    given.setStreamIdentifier(identifier(Buffer.from(name)));
    given.setAny(new shared.Empty());
    return given;
  };
  const request = (build: (req: BatchReq) => void) => {
    const req = new streams.BatchAppendReq();
    req.setCorrelationId(uuid(correlation));
    req.setIsFinal(true);
    build(req);
    return req;
  };
  const sendBatch = (req: BatchReq): Promise<BatchResp | ServiceError> =>
    new Promise((resolve) => {
      const call = client.batchAppend();
      call.on('data', (resp: BatchResp) => {
        resolve(resp);
        call.end();
      });
      call.on('error', resolve);
      call.write(req);
    });
  const read = (req: InstanceType<typeof streams.ReadReq>): Promise<ServiceError> =>
    new Promise((resolve, reject) => {
      const call = client.read(req);
      call.on('error', resolve);
      call.on('end', () => reject(new Error('The read was served.')));
      call.resume();
    });

  const batches: [string, (req: BatchReq) => void, RegExp][] = [
    ['no options', (req) => req.addProposedMessages(proposed('a')), /no options/],
    ['no stream', (req) => req.setOptions(options('')), /no stream/],
    [
      'an event without a type',
      (req) => req.setOptions(options()).addProposedMessages(proposed()),
      /'type' is missing/,
    ],
  ];
  for (const [what, build, sentence] of batches) {
    it(`is answered a batch append with ${what} by a refusal under its correlation id`, async () => {
      const answer = await sendBatch(request(build));
      if (!(answer instanceof streams.BatchAppendResp)) throw answer;
      expect(answer.getCorrelationId()?.getString()).to.equal(correlation);
      expect(answer.getError()?.getMessage()).to.match(sentence);
      expect(answer.getError()?.getCode()).to.equal(status.INVALID_ARGUMENT);
    });
  }

  it('loses its batch append call when a request has no correlation id', async () => {
    const answer = await sendBatch(request((req) => req.clearCorrelationId()));
    expect((answer as ServiceError).code).to.equal(status.INVALID_ARGUMENT);
  });

  it('is refused a name that is not UTF-8', async () => {
    const given = options();
    given.setStreamIdentifier(identifier(Buffer.from([0xff, 0xfe, 0x41])));
    const answer = await sendBatch(request((req) => req.setOptions(given)));
    expect((answer as BatchResp).getError()?.getMessage()).to.match(/UTF-8/);
  });

  it('is refused reads without options, of nothing, and with structured ids', async () => {
    const empty = new streams.ReadReq();
    expect((await read(empty)).code).to.equal(status.INVALID_ARGUMENT);
    const nothing = new streams.ReadReq();
    nothing.setOptions(new streams.ReadReq.Options());
    expect((await read(nothing)).code).to.equal(status.INVALID_ARGUMENT);
    const structured = new streams.ReadReq();
    const uuidOption = new streams.ReadReq.Options.UUIDOption();
    uuidOption.setStructured(new shared.Empty());
    structured.setOptions(new streams.ReadReq.Options().setUuidOption(uuidOption));
    expect((await read(structured)).code).to.equal(status.UNIMPLEMENTED);
  });

  it('wrote nothing by any of this', async () => {
    expect(await collect(test.client.readAll())).to.have.length(0);
  });

  it('is refused more than an append may hold in names of types, and more than a call may keep unfinished', async () => {
    const before = (await collect(test.client.readAll())).length;
    const type = 'x'.repeat(1_000_000);
    const two = request((req) => req.setOptions(options('types')).addProposedMessages(proposed(type)));
    two.addProposedMessages(proposed(type));
    expect(((await sendBatch(two)) as BatchResp).getError()?.getCode()).to.equal(status.INVALID_ARGUMENT);
    const err = await new Promise<ServiceError>((resolve) => {
      const call = client.batchAppend();
      call.on('error', resolve);
      for (let n = 0; n < 80; n += 1) {
        const part = request((req) => req.setOptions(options(`unfinished-${n}`)).addProposedMessages(proposed(type)));
        part.setCorrelationId(uuid(`11111111-2222-4333-8444-${String(n).padStart(12, '0')}`));
        part.setIsFinal(false);
        call.write(part);
      }
    });
    expect(err.code).to.equal(status.RESOURCE_EXHAUSTED);
    expect(await collect(test.client.readAll())).to.have.length(before);
  }).timeout(20_000);

  it('loses its call when a correlation id is no UUID by far', async () => {
    const answer = await sendBatch(request((req) => req.setCorrelationId(uuid('1'.repeat(1_000)))));
    expect((answer as ServiceError).code).to.equal(status.INVALID_ARGUMENT);
  });

  it('appends nothing when it leaves before the last part', async () => {
    const call = client.batchAppend();
    call.on('error', () => undefined);
    const part = request((req) => req.setOptions(options('half')).addProposedMessages(proposed('a')));
    part.setIsFinal(false);
    await new Promise<void>((resolve) => call.write(part, () => resolve()));
    const gone = new Promise((resolve) => call.once('status', resolve));
    call.cancel();
    await gone;
    expect(await collect(test.client.readAll())).to.have.length(0);
  });
});
