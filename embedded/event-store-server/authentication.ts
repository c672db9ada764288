import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { accessDenied } from './errors.js';
import { featuresDefinition, gossipDefinition } from './protocol.js';

/** The only user there is. */
const user = 'admin';

/** What the official client asks before it sends credentials. */
const open = new Set([featuresDefinition, gossipDefinition].flatMap((definition) => pathsOf(definition)));

/**
 * Refuses calls of every service that do not bring `authorization: Basic` with the user `admin` and this password. A
 * call is looked at once, when it begins.
 */
export function requirePassword(password: string): ServerInterceptor {
  const expected = digest(`${user}:${password}`);
  const isRight = (metadata: Metadata): boolean => {
    const [header] = metadata.get('authorization');
    const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(String(header ?? '')) ?? [];
    return encoded !== undefined && timingSafeEqual(digest(Buffer.from(encoded, 'base64')), expected);
  };
  return ({ path }, call) => {
    if (open.has(path)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, goOn) {
            if (isRight(metadata)) goOn(metadata);
            else call.sendStatus(accessDenied());
          },
        }),
    });
  };
}

/** Of one length whatever it is of, so that the comparison tells nothing. */
const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();

function pathsOf(definition: object): string[] {
  return Object.values(definition as Record<string, { path: string }>).map(({ path }) => path);
}
