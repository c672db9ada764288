import { randomUUID } from 'node:crypto';
import type * as gossipTypes from '@eventstore/db-client/generated/gossip_pb.js';
import type * as featureTypes from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type * as sharedTypes from '@eventstore/db-client/generated/shared_pb.js';
import type { handleUnaryCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { unimplemented } from './errors.js';
import {
  featuresDefinition,
  gossipDefinition,
  messages,
  methodName,
  operationsDefinition,
  persistentDefinition,
  refusedServices,
  streamsDefinition,
} from './protocol.js';

/** The version whose protocol is served; the client chooses its behaviour by it. */
const serverVersion = '23.10.0';

export function supportedMethodsCall(): handleUnaryCall<sharedTypes.Empty, featureTypes.SupportedMethods> {
  const answer = new messages.features.SupportedMethods();
  answer.setEventStoreServerVersion(serverVersion);
  const served = [streamsDefinition, persistentDefinition, operationsDefinition, gossipDefinition, featuresDefinition];
  // The refused are named too: the client would reach for HTTP instead, and end in something unreadable.
  for (const definition of [...served, ...refusedServices.map((refused) => refused.definition)]) {
    for (const { path } of Object.values(definition)) {
      const { service, method } = methodName(path);
      const entry = new messages.features.SupportedMethod();
      entry.setServiceName(service.toLowerCase());
      entry.setMethodName(method.toLowerCase());
      if (service.includes('PersistentSubscriptions')) entry.setFeaturesList(['stream', 'all']);
      answer.addMethods(entry);
    }
  }
  return (_, callback) => callback(null, answer);
}

/** @param endpoint where clients reach this server, asked at every call */
export function gossipCall(
  endpoint: () => { host: string; port: number },
  now: () => number,
): handleUnaryCall<sharedTypes.Empty, gossipTypes.ClusterInfo> {
  const instance = new messages.shared.UUID();
  instance.setString(randomUUID());
  return (_, callback) => {
    const { host, port } = endpoint();
    const address = new messages.gossip.EndPoint();
    address.setAddress(host);
    address.setPort(port);
    const member = new messages.gossip.MemberInfo();
    member.setInstanceId(instance);
    member.setTimeStamp(`${now()}0000`);
    member.setState(messages.gossip.MemberInfo.VNodeState.LEADER);
    member.setIsAlive(true);
    member.setHttpEndPoint(address);
    const cluster = new messages.gossip.ClusterInfo();
    cluster.addMembers(member);
    callback(null, cluster);
  };
}

/** Handlers that answer every method of a service with the same sentence. */
export function refusals(definition: ServiceDefinition, sentence: string): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(definition).map(([name, { responseStream }]) => [
      name,
      responseStream
        ? (call: { emit(event: 'error', err: Error): void }) => call.emit('error', unimplemented(sentence))
        : (_: unknown, callback: (err: Error) => void) => callback(unimplemented(sentence)),
    ]),
  );
}
