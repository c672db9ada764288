import { DomainError } from '../../domain/core/domain-error.js';
import type { OrderItem } from '../../domain/order/order-events.js';
import { type VariantForSale, variantForSale } from '../../domain/product/product.js';
import { productAggregate, shopAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';

export interface WantedItem {
  readonly product_id: string;
  readonly variant_id: string;
  readonly quantity: number;
}

/**
 * A variant as it is sold now, from the product's stream through the cache. What the cache would refuse is looked up in
 * the log before the caller hears it.
 *
 * @throws DomainError `product-not-found`, `product-deleted`, `product-not-sold`, `variant-not-found`, `shop-suspended`
 */
export async function findForSale(commands: CommandHandler, wanted: WantedItem): Promise<VariantForSale> {
  const find = async (newest: boolean): Promise<VariantForSale> => {
    const product = await commands.load(productAggregate, wanted.product_id, newest);
    const sold = variantForSale(product.state, wanted.variant_id);
    const shop = await commands.load(shopAggregate, sold.shop_id, newest);
    if (shop.state.status === 'suspended') {
      throw new DomainError('shop-suspended', 'The shop is closed at the moment.', { shop_id: sold.shop_id });
    }
    return sold;
  };
  try {
    return await find(false);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return find(true);
  }
}

/**
 * Prices the lines of an order: the server's prices as of now, in one currency.
 *
 * @throws DomainError as {@link findForSale}, and `currency-mismatch`
 */
export async function priceItems(
  commands: CommandHandler,
  wanted: readonly WantedItem[],
): Promise<{ items: OrderItem[]; currency: string; shopIds: string[]; total: number }> {
  const sold = await Promise.all(wanted.map((item) => findForSale(commands, item)));
  const currencies = new Set(sold.map(({ variant }) => variant.currency));
  const [currency, ...others] = currencies;
  if (currency === undefined) throw new DomainError('order-empty', 'An order has at least one line.');
  if (others.length > 0) {
    throw new DomainError('currency-mismatch', 'All lines of an order are in one currency.', {
      currencies: [...currencies],
    });
  }
  const items = sold.map(({ product_id, shop_id, name, variant }, i) => {
    const quantity = wanted[i]?.quantity ?? 0;
    const title = variant.title === '' || variant.title === name ? name : `${name}, ${variant.title}`;
    return {
      line: i + 1,
      product_id,
      variant_id: variant.variant_id,
      shop_id,
      sku: variant.sku,
      title,
      quantity,
      price: variant.price,
      amount: quantity * variant.price,
    };
  });
  const total = items.reduce((sum, { amount }) => sum + amount, 0);
  return { items, currency, shopIds: [...new Set(items.map(({ shop_id }) => shop_id))], total };
}
