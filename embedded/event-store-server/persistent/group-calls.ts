import type * as persistentTypes from '@eventstore/db-client/generated/persistent_pb.js';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { streamName } from '../append-request.js';
import { invalid, subscriptionMissing } from '../errors.js';
import { messages } from '../protocol.js';
import { safeNumber } from '../read-request.js';
import { unary } from '../unary-call.js';
import { type ConsumerCallDeps, consumerCall } from './consumer-call.js';
import { groupInfo } from './info.js';
import { changedGroupOf, groupIdOf, newGroupOf } from './requests.js';

/** The handlers of `event_store.client.persistent_subscriptions.PersistentSubscriptions`. */
export function persistentCalls(deps: ConsumerCallDeps): UntypedServiceImplementation {
  const { groups } = deps;
  const { CreateResp, UpdateResp, DeleteResp, GetInfoResp, ReplayParkedResp, ListResp } = messages.persistent;
  return {
    read: consumerCall(deps),

    create: unary(deps, async (request: persistentTypes.CreateReq) => {
      await groups.create(newGroupOf(request.getOptions()));
      return new CreateResp();
    }),

    update: unary(deps, async (request: persistentTypes.UpdateReq) => {
      await groups.update(changedGroupOf(request.getOptions()));
      return new UpdateResp();
    }),

    delete: unary(deps, async (request: persistentTypes.DeleteReq) => {
      await groups.delete(groupIdOf(request.getOptions()));
      return new DeleteResp();
    }),

    getInfo: unary(deps, async (request: persistentTypes.GetInfoReq) => {
      const answer = new GetInfoResp();
      answer.setSubscriptionInfo(groupInfo(groups.find(groupIdOf(request.getOptions()))));
      return answer;
    }),

    replayParked: unary(deps, async (request: persistentTypes.ReplayParkedReq) => {
      const options = request.getOptions();
      const stopAt = options?.hasStopAt() ? safeNumber(options.getStopAt()) : undefined;
      groups.find(groupIdOf(options)).replayParked(stopAt);
      return new ReplayParkedResp();
    }),

    list: unary(deps, async (request: persistentTypes.ListReq) => {
      const options = request.getOptions();
      const answer = new ListResp();
      const one = options?.getListForStream();
      if (one === undefined) {
        if (!options?.hasListAllSubscriptions()) throw invalid('The list says neither "all" nor a stream.');
        answer.setSubscriptionsList(groups.list().map(groupInfo));
        return answer;
      }
      const stream = one.hasAll() ? undefined : streamName(one.getStream());
      const found = groups.list().filter(({ stored }) => stored.stream === stream);
      if (found.length === 0) throw subscriptionMissing({ stream, group: '' });
      answer.setSubscriptionsList(found.map(groupInfo));
      return answer;
    }),

    restartSubsystem: unary(deps, async () => {
      groups.restart();
      return new messages.shared.Empty();
    }),
  };
}
