import { DomainError } from '../../domain/core/domain-error.js';
import type { OrderItem } from '../../domain/order/order-events.js';
import { type VariantForSale, variantForSale } from '../../domain/product/product.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { productAggregate, shopAggregate } from '../aggregates.js';
import type { CommandHandler } from '../handle-command.js';

export interface WantedItem {
  readonly product_id: string;
  readonly variant_id: string;
  readonly quantity: number;
  /** Agreed elsewhere, in minor units; today's price where it is absent. */
  readonly price?: number;
}

/** The items with their prices, in one currency. Amounts are in minor units. */
export interface Priced {
  readonly items: OrderItem[];
  readonly currency: string;
  readonly shopIds: string[];
  readonly total: number;
}

const longestTitle = 600;
const lanes = 64;

/**
 * A variant as it is sold now, from the product's stream through the cache. What the cache would refuse is looked up in
 * the log before the caller hears it.
 *
 * @throws DomainError `product-not-found`, `product-deleted`, `product-not-sold`, `variant-not-found`, `shop-suspended`
 */
export async function findForSale(
  commands: CommandHandler,
  wanted: Pick<WantedItem, 'product_id' | 'variant_id'>,
): Promise<VariantForSale> {
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

/** The variants that items are about, each looked up once. @throws DomainError as {@link findForSale} */
async function findAll(commands: CommandHandler, wanted: readonly WantedItem[]): Promise<Map<string, VariantForSale>> {
  const distinct = new Map(wanted.map((item) => [`${item.product_id} ${item.variant_id}`, item]));
  const found = new Map<string, VariantForSale>();
  await inParallel([...distinct], lanes, async ([key, item]) => {
    found.set(key, await findForSale(commands, item));
  });
  return found;
}

/**
 * Prices items: at what was agreed for a line, else the server's price as of now; in one currency.
 *
 * @throws DomainError as {@link findForSale}, and `order-empty`, `currency-mismatch`, `order-too-large`
 */
export async function priceItems(commands: CommandHandler, wanted: readonly WantedItem[]): Promise<Priced> {
  const found = await findAll(commands, wanted);
  const currencies = [...new Set([...found.values()].map(({ variant }) => variant.currency))];
  const [currency, ...others] = currencies;
  if (currency === undefined) throw new DomainError('order-empty', 'An order has at least one line.');
  if (others.length > 0) {
    throw new DomainError('currency-mismatch', 'All items are in one currency.', { currencies });
  }
  const items = wanted.flatMap(({ product_id, variant_id, quantity, price: agreed }, i): OrderItem[] => {
    const sold = found.get(`${product_id} ${variant_id}`);
    if (sold === undefined) return [];
    const { shop_id, name, variant } = sold;
    const { sku, title } = variant;
    const price = agreed ?? variant.price;
    const shown = title === '' || title === name ? name : `${name}, ${title}`;
    const amount = quantity * price;
    return [
      {
        line: i + 1,
        product_id,
        variant_id,
        shop_id,
        sku,
        title: shown.slice(0, longestTitle),
        quantity,
        price,
        amount,
      },
    ];
  });
  const total = items.reduce((sum, { amount }) => sum + amount, 0);
  if (!Number.isSafeInteger(total)) throw new DomainError('order-too-large', 'That is more money than we can count.');
  return { items, currency, shopIds: [...new Set(items.map(({ shop_id }) => shop_id))], total };
}
