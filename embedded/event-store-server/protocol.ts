import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipMessages from '@eventstore/db-client/generated/gossip_pb.js';
import operationsGrpc from '@eventstore/db-client/generated/operations_grpc_pb.js';
import operationsMessages from '@eventstore/db-client/generated/operations_pb.js';
import persistentGrpc from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import persistentMessages from '@eventstore/db-client/generated/persistent_pb.js';
import projectionsGrpc from '@eventstore/db-client/generated/projections_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featureMessages from '@eventstore/db-client/generated/serverfeatures_pb.js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import statusMessages from '@eventstore/db-client/generated/status_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamMessages from '@eventstore/db-client/generated/streams_pb.js';
import usersGrpc from '@eventstore/db-client/generated/users_grpc_pb.js';
import anyMessages from 'google-protobuf/google/protobuf/any_pb.js';
import emptyMessages from 'google-protobuf/google/protobuf/empty_pb.js';
import { type BatchRequest, batchRequestOf, readBatchRequest } from './batch-request.js';

/*
 * The protocol as the official client ships it: generated CommonJS, so everything arrives as a default import.
 * Events and the answers of the streams service are encoded by `answers.ts`; these methods take bytes and pass them on.
 */
export const messages = {
  gossip: gossipMessages,
  features: featureMessages,
  operations: operationsMessages,
  persistent: persistentMessages,
  shared: sharedMessages,
  status: statusMessages,
  streams: streamMessages,
  any: anyMessages,
  empty: emptyMessages,
};

const passThrough = { responseSerialize: (bytes: Buffer): Buffer => bytes };
const { read, append, batchAppend, delete: deleteStream, tombstone } = streamsGrpc.StreamsService;

export const streamsDefinition = {
  read: { ...read, ...passThrough },
  append: { ...append, ...passThrough },
  batchAppend: {
    ...batchAppend,
    ...passThrough,
    requestDeserialize: (bytes: Buffer): BatchRequest =>
      readBatchRequest(bytes) ?? batchRequestOf(batchAppend.requestDeserialize(bytes)),
  },
  delete: { ...deleteStream, ...passThrough },
  tombstone: { ...tombstone, ...passThrough },
};

export const gossipDefinition = gossipGrpc.GossipService;
export const featuresDefinition = featuresGrpc.ServerFeaturesService;
export const operationsDefinition = operationsGrpc.OperationsService;

const { read: readGroup, ...aboutGroups } = persistentGrpc.PersistentSubscriptionsService;
export const persistentDefinition = { ...aboutGroups, read: { ...readGroup, ...passThrough } };

/** Services that are known and refused, with the sentence that callers are given. */
export const refusedServices = [
  {
    definition: projectionsGrpc.ProjectionsService,
    sentence: 'The embedded event store has no projections: subscribe to $all with a filter instead.',
  },
  { definition: usersGrpc.UsersService, sentence: 'The embedded event store keeps no users.' },
];

/** `/package.Service/Method` taken apart. */
export function methodName(path: string): { service: string; method: string } {
  const [, service = '', method = ''] = path.split('/');
  return { service, method };
}
