import type * as operationTypes from '@eventstore/db-client/generated/operations_pb.js';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/logger.js';
import { scavengeMissing, unimplemented } from './errors.js';
import type { OpenCalls } from './open-calls.js';
import type { Groups } from './persistent/groups.js';
import { messages } from './protocol.js';
import type { Scavenger } from './scavenge.js';
import { unary } from './unary-call.js';

export interface OperationDeps {
  scavenger: Scavenger;
  groups: Groups;
  calls: OpenCalls;
  log: Logger;
}

/** The handlers of `event_store.client.operations.Operations`. */
export function operationsCalls(deps: OperationDeps): UntypedServiceImplementation {
  const { scavenger, groups } = deps;
  const { ScavengeResp } = messages.operations;
  const scavengeAnswer = (id: string, result: keyof typeof ScavengeResp.ScavengeResult) => {
    const answer = new ScavengeResp();
    answer.setScavengeId(id);
    answer.setScavengeResult(ScavengeResp.ScavengeResult[result]);
    return answer;
  };
  const refuse = (sentence: string) =>
    unary(deps, async () => {
      throw unimplemented(sentence);
    });
  return {
    startScavenge: unary(deps, async () => {
      const { id, wasRunning } = scavenger.start();
      return scavengeAnswer(id, wasRunning ? 'INPROGRESS' : 'STARTED');
    }),

    stopScavenge: unary(deps, async (request: operationTypes.StopScavengeReq) => {
      const id = request.getOptions()?.getScavengeId() ?? '';
      if (!scavenger.stop(id)) throw scavengeMissing(id);
      return scavengeAnswer(id, 'STOPPED');
    }),

    restartPersistentSubscriptions: unary(deps, async () => {
      groups.restart();
      return new messages.shared.Empty();
    }),

    shutdown: refuse('The embedded event store is stopped with SIGTERM.'),
    mergeIndexes: refuse('The embedded event store has one index, there is nothing to merge.'),
    resignNode: refuse('The embedded event store is one node, nobody could take over.'),
    setNodePriority: refuse('The embedded event store is one node and has no priority.'),
  };
}
