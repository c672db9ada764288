import type { EventStoreDBClient } from '@eventstore/db-client';
import { Metadata } from '@grpc/grpc-js';

type Generator = (_: unknown, callback: (err: Error | null, metadata: Metadata) => void) => void;

/** What the official client makes a call's credentials with. */
interface ClientInside {
  createCredentialsMetadataGenerator: (who: { username: string; password: string }) => Generator;
}

/**
 * Has a client send its credentials on connections without TLS too. The official client drops them there, and an
 * embedded store on this machine may ask for its password all the same.
 */
export function sendCredentials(client: EventStoreDBClient): void {
  const inside = client as unknown as ClientInside;
  inside.createCredentialsMetadataGenerator = ({ username, password }) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
    return (_, callback) => callback(null, metadata);
  };
}
