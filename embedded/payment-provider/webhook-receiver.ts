import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import Stripe from 'stripe';

// For tests alone: the shop's end of webhooks, which verifies every signature with the official client.

export const webhookSecret = 'whsec_0123456789abcdef';

export interface WebhookReceiver {
  readonly url: string;
  /** what came, in order */
  readonly received: Stripe.Event[];
  /** what is answered next; 200 when there is none left, and 0 hangs up */
  statuses: number[];
  close(): void;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: Stripe.Event[] = [];
  const { webhooks } = Stripe;
  const receiver = { received, statuses: [] as number[] };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const signature = String(req.headers['stripe-signature']);
      received.push(webhooks.constructEvent(Buffer.concat(chunks), signature, webhookSecret));
      const text = Buffer.concat(chunks).toString('utf8');
      expect(() => webhooks.constructEvent(`${text} `, signature, webhookSecret)).to.throw();
      expect(() => webhooks.constructEvent(text, signature, 'whsec_other')).to.throw();
      const status = receiver.statuses.shift() ?? 200;
      if (status === 0) res.destroy();
      else res.writeHead(status, { location: '/elsewhere' }).end('thanks');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  });
}
