import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { DomainError } from '../../domain/core/domain-error.js';
import { uuid } from '../../domain/core/ids.js';
import { answer, principalOf } from '../../runtime/http/app.js';
import { deriveId } from '../../runtime/ids.js';
import { orderAggregate, paymentAggregate } from '../aggregates.js';
import type { CommandDeps } from '../deps.js';
import { contextOf, tellConsistency } from '../request-context.js';

export const cancelOrder = z.strictObject({ reason: z.string().trim().max(200).default('') });
export const retryPayment = z.strictObject({ payment_method: z.string().trim().min(1).max(200) });

const orderNotFound = () => new DomainError('order-not-found', 'There is no such order.');

/** What a customer does with an order that is placed: cancel it, or pay it with another card after a decline. */
export function orderChangesRoutes(deps: Pick<CommandDeps, 'commands' | 'hmacSecret' | 'clock'>): Router {
  const { commands, hmacSecret, clock } = deps;
  const router = Router();

  /** The order as it stands, where it is the caller's; nobody else learns that it exists. */
  const ownOrder = async (req: Request, res: Response) => {
    const { userId, roles } = principalOf(res);
    const id = uuid.safeParse(req.params['id']);
    if (!id.success) throw orderNotFound();
    const { state } = await commands.load(orderAggregate, id.data, true);
    const isTheirs = state.keys !== undefined && (state.keys.user_id === userId || roles.includes('admin'));
    if (!isTheirs) throw orderNotFound();
    return { orderId: id.data, state, userId };
  };

  router.post('/orders/:id/cancel', async (req, res) => {
    const { reason } = cancelOrder.parse(req.body ?? {});
    const { orderId, userId } = await ownOrder(req, res);
    const context = { ...contextOf(req, res, 'POST /orders/:id/cancel', hmacSecret), correlationId: orderId };
    const command = {
      type: 'CancelOrder' as const,
      data: { order_id: orderId, by: userId, reason },
      metadata: { now: clock().toISOString() },
    };
    const accepted = await commands.handle(orderAggregate, orderId, command, context);
    tellConsistency(res, accepted);
    answer(res, 200, { order_id: orderId, status: 'cancelled' });
  });

  router.post('/orders/:id/payments', async (req, res) => {
    const { payment_method } = retryPayment.parse(req.body);
    const { orderId, state } = await ownOrder(req, res);
    const paymentId = deriveId('payment', orderId);
    const context = { ...contextOf(req, res, 'POST /orders/:id/payments', hmacSecret), correlationId: orderId };
    const pay = async () => {
      const { status } = state;
      if (status === 'failed' || status === 'cancelled') {
        throw new DomainError('order-ended', `The order is ${status}.`, { status });
      }
      if (status !== 'pending') throw new DomainError('order-already-paid', 'The order has been paid.');
      const { state: payment } = await commands.load(paymentAggregate, paymentId, true);
      if (payment.status === 'none') {
        throw new DomainError('payment-not-awaited', 'The order does not wait for another payment.');
      }
      const command = {
        type: 'RetryPayment' as const,
        data: { payment_id: paymentId, order_id: orderId, payment_method },
        metadata: { now: clock().toISOString() },
      };
      return commands.handle(paymentAggregate, paymentId, command, context);
    };
    const accepted = await pay().catch(async (error: unknown) => {
      // What was accepted once is answered as it was then, whatever has become of the order since.
      const before =
        error instanceof DomainError ? await commands.answered(paymentAggregate, paymentId, context) : undefined;
      if (before === undefined) throw error;
      return before;
    });
    const begun = accepted.events[0];
    if (begun?.type !== 'payment.initiated') throw new Error(`a payment of ${orderId} was accepted without beginning`);
    tellConsistency(res, accepted);
    answer(res, 202, {
      order_id: orderId,
      payment_id: paymentId,
      attempt: begun.data.attempt,
      status: 'initiated',
      deadline: begun.data.deadline,
      status_url: `/api/v1/orders/${orderId}`,
    });
  });

  return router;
}
