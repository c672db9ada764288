import { expect } from 'chai';
import {
  type PaymentProvider as Sandbox,
  startPaymentProvider,
} from '../../embedded/payment-provider/start-payment-provider.js';
import { silentLogger } from '../../runtime/logger.js';
import { eventually } from '../../test/support/eventually.js';
import { temporaryFolder } from '../../test/support/stores.js';
import { type PaymentProvider, ProviderUnavailable, stripeClient, stripeProvider } from './payment-provider.js';

const secretKey = 'sk_test_0123456789abcdef';

describe('the payment provider, asked through the official client', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let sandbox: Sandbox;
  let provider: PaymentProvider;

  before(async () => {
    folder = await temporaryFolder();
    sandbox = await startPaymentProvider({ dataDir: folder.path, port: 0, secretKey, log: silentLogger });
    provider = stripeProvider(stripeClient({ secretKey, url: sandbox.url, timeoutMs: 2_000 }));
  });
  after(async () => {
    await sandbox.close();
    await folder.remove();
  });

  const charge = (card: string, key = card) =>
    provider.charge({
      attempt: 1,
      provider_key: key,
      order_id: 'order-1',
      payment_id: 'payment-1',
      amount: 2999,
      currency: 'GBP',
      payment_method: `pm_card_${card}`,
    });
  /** What it says once it knows. */
  const settled = (card: string) =>
    eventually(`${card} to be settled`, () =>
      charge(card).catch((error: unknown) => {
        if (error instanceof ProviderUnavailable) return undefined;
        throw error;
      }),
    );

  it('says at once what a card did', async () => {
    expect(await charge('visa')).to.include({ kind: 'captured', payment_method: 'card' });
    const declined = { kind: 'declined', reason: 'insufficient_funds', retryable: true };
    expect(await charge('chargeDeclinedInsufficientFunds')).to.deep.equal(declined);
    const stolen = { kind: 'declined', reason: 'stolen_card', retryable: false };
    expect(await charge('chargeDeclinedStolenCard')).to.deep.equal(stolen);
    expect(await charge('nobody')).to.include({ kind: 'declined', retryable: false });
    expect(await charge('half \ud83d', 'half')).to.include({ kind: 'declined', retryable: false });
  });

  it('tells what became of a payment that was in process, asked again with the same key', async () => {
    expect(await settled('lateSuccess_0s')).to.include({ kind: 'captured' });
    expect(await settled('lateDecline_0s')).to.deep.equal({
      kind: 'declined',
      reason: 'generic_decline',
      retryable: true,
    });
    expect(await charge('processing').catch((error: unknown) => error)).to.be.instanceOf(ProviderUnavailable);
  });

  it('has no answer where the connection broke, and the same one as before when it is asked again', async () => {
    expect(await charge('answerLost').catch((error: unknown) => error)).to.be.instanceOf(ProviderUnavailable);
    expect(await charge('answerLost')).to.include({ kind: 'captured' });
  });

  it('gives money back once, and says where it is refused', async () => {
    const captured = await charge('refundAnswerLost');
    const id = captured.kind === 'captured' ? captured.provider_transaction_id : '';
    const refund = {
      charge: 1,
      provider_key: 'refund-1',
      order_id: 'order-1',
      provider_transaction_id: id,
      amount: 2999,
    };
    expect(await provider.refund(refund).catch((error: unknown) => error)).to.be.instanceOf(ProviderUnavailable);
    expect(await provider.refund(refund)).to.include({ kind: 'refunded' });
    expect(await provider.refund({ ...refund, provider_key: 'refund-2' })).to.include({ kind: 'refunded' });
    const disputed = await charge('refundRefused');
    const other = disputed.kind === 'captured' ? disputed.provider_transaction_id : '';
    expect(
      await provider.refund({ ...refund, provider_key: 'refund-3', provider_transaction_id: other }),
    ).to.deep.equal({ kind: 'refused', reason: 'charge_disputed' });
  });
});
