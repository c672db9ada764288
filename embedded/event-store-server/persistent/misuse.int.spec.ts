import { jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults } from '@eventstore/db-client';
import persistentGrpc from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { openTestStore, type TestStore } from '../store-fixture.js';

type ReadReq = InstanceType<typeof persistent.ReadReq>;
type ReadResp = InstanceType<typeof persistent.ReadResp>;

/** Requests that the official client never makes. */
describe('a consumer that does not keep to the protocol', () => {
  let test: TestStore;
  let client: InstanceType<typeof persistentGrpc.PersistentSubscriptionsClient>;
  before(async () => {
    test = await openTestStore();
    client = new persistentGrpc.PersistentSubscriptionsClient(
      `127.0.0.1:${test.store.port}`,
      credentials.createInsecure(),
    );
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 'start' });
    await test.client.createPersistentSubscriptionToStream('s', 'g', settings);
    await test.client.appendToStream('s', [jsonEvent({ type: 'a', data: {} }), jsonEvent({ type: 'b', data: {} })]);
  });
  after(async () => {
    client.close();
    await test.remove();
  });

  const request = (build: (req: ReadReq) => void) => {
    const req = new persistent.ReadReq();
    build(req);
    return req;
  };
  const connecting = (build: (options: InstanceType<typeof persistent.ReadReq.Options>) => void = () => {}) =>
    request((req) => {
      const options = new persistent.ReadReq.Options();
      options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from('s')));
      options.setGroupName('g');
      options.setBufferSize(10);
      build(options);
      req.setOptions(options);
    });
  const unknown = new shared.UUID().setString('99999999-2222-4333-8444-555555555555');
  const acknowledging = (id: InstanceType<typeof shared.UUID>) => request((req) => req.setAck(ackOf(id)));
  const ackOf = (id: InstanceType<typeof shared.UUID>) => {
    const ack = new persistent.ReadReq.Ack();
    ack.addIds(id);
    return ack;
  };
  /** What the server answers to a row of messages: its refusal, or the events it sent until there are enough. */
  const talk = (messages: ReadReq[], enough: number): Promise<ServiceError | ReadResp[]> =>
    new Promise((resolve) => {
      const call = client.read();
      const events: ReadResp[] = [];
      call.on('data', (answer: ReadResp) => {
        if (answer.hasEvent()) events.push(answer);
        if (events.length < enough) return;
        call.cancel();
        resolve(events);
      });
      call.on('error', resolve);
      for (const message of messages) call.write(message);
    });

  const refused: [string, ReadReq[], status][] = [
    ['begins with an acknowledgement', [acknowledging(unknown)], status.INVALID_ARGUMENT],
    ['names no group', [connecting((options) => options.setGroupName(''))], status.INVALID_ARGUMENT],
    ['names a group that is not there', [connecting((options) => options.setGroupName('x'))], status.NOT_FOUND],
    [
      'names one that is there after one that is not',
      [connecting((options) => options.setGroupName('x')), connecting()],
      status.NOT_FOUND,
    ],
    [
      'wants its ids in two halves',
      [
        connecting((options) =>
          options.setUuidOption(new persistent.ReadReq.Options.UUIDOption().setStructured(new shared.Empty())),
        ),
      ],
      status.UNIMPLEMENTED,
    ],
    ['names its group twice', [connecting(), connecting()], status.INVALID_ARGUMENT],
    ['says nothing', [connecting(), new persistent.ReadReq()], status.INVALID_ARGUMENT],
    [
      'acknowledges what is no id',
      [connecting(), acknowledging(new shared.UUID().setString('nonsense'))],
      status.INVALID_ARGUMENT,
    ],
  ];
  for (const [what, messages, code] of refused) {
    it(`is refused when it ${what}`, async () => {
      expect(await talk(messages, 99)).to.include({ code });
    });
  }

  it('is served when it acknowledges what it never got, and wants a buffer of nothing', async () => {
    const messages = [connecting((options) => options.setBufferSize(-1)), acknowledging(unknown)];
    const events = await talk(messages, 1);
    expect(events).to.have.length(1);
  });

  it('left nothing behind: the events are all handed out to the next one', async () => {
    const events = (await talk([connecting()], 2)) as ReadResp[];
    expect(events.map((answer) => answer.getEvent()?.getEvent()?.getStreamRevision())).to.deep.equal(['0', '1']);
  });
});
