import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipMessages from '@eventstore/db-client/generated/gossip_pb.js';
import operationsGrpc from '@eventstore/db-client/generated/operations_grpc_pb.js';
import persistentGrpc from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import projectionsGrpc from '@eventstore/db-client/generated/projections_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featureMessages from '@eventstore/db-client/generated/serverfeatures_pb.js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import statusMessages from '@eventstore/db-client/generated/status_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import usersGrpc from '@eventstore/db-client/generated/users_grpc_pb.js';
import anyMessages from 'google-protobuf/google/protobuf/any_pb.js';
import emptyMessages from 'google-protobuf/google/protobuf/empty_pb.js';

/*
 * The protocol as the official client ships it: generated CommonJS, so everything arrives as a default import.
 * Answers of the streams service are encoded by `answers.ts`; its methods take bytes and pass them through.
 */
export const messages = {
  gossip: gossipMessages,
  features: featureMessages,
  shared: sharedMessages,
  status: statusMessages,
  any: anyMessages,
  empty: emptyMessages,
};

const passThrough = { responseSerialize: (bytes: Buffer): Buffer => bytes };
const { read, append, batchAppend, delete: deleteStream, tombstone } = streamsGrpc.StreamsService;

export const streamsDefinition = {
  read: { ...read, ...passThrough },
  append: { ...append, ...passThrough },
  batchAppend: { ...batchAppend, ...passThrough },
  delete: { ...deleteStream, ...passThrough },
  tombstone: { ...tombstone, ...passThrough },
};

export const gossipDefinition = gossipGrpc.GossipService;
export const featuresDefinition = featuresGrpc.ServerFeaturesService;

/** Services that are known and refused, with the sentence that callers are given. */
export const refusedServices = [
  {
    definition: persistentGrpc.PersistentSubscriptionsService,
    sentence: 'Persistent subscriptions are not served by this version of the embedded event store.',
  },
  {
    definition: projectionsGrpc.ProjectionsService,
    sentence: 'The embedded event store has no projections: subscribe to $all with a filter instead.',
  },
  {
    definition: operationsGrpc.OperationsService,
    sentence: 'Operations are not served by this version of the embedded event store.',
  },
  { definition: usersGrpc.UsersService, sentence: 'The embedded event store keeps no users.' },
];

/** `/package.Service/Method` taken apart. */
export function methodName(path: string): { service: string; method: string } {
  const [, service = '', method = ''] = path.split('/');
  return { service, method };
}
