import type { TestShop } from './shop.js';

export interface StockedProduct {
  readonly product_id: string;
  readonly variant_id: string;
}

/** Opens a shop as an admin and puts products with stock into it. */
export async function stockShop(
  shop: TestShop,
  products: readonly { price: number; stock: number }[],
): Promise<{ admin: string; shopId: string; products: StockedProduct[] }> {
  const { token } = await shop.logIn(['admin']);
  const opened = await shop.call('POST', '/api/v1/shops', { name: 'Harbour Goods', country: 'GB' }, { token });
  const shopId = String(opened.body.data.shop_id);
  const stocked: StockedProduct[] = [];
  for (const [i, { price, stock }] of products.entries()) {
    const body = { shop_id: shopId, name: `Lantern ${i}`, currency: 'GBP', variants: [{ sku: `LAN-${i}`, price }] };
    const created = await shop.call('POST', '/api/v1/products', body, { token });
    const { product_id, variants } = created.body.data;
    const product = { product_id, variant_id: variants[0].variant_id };
    stocked.push(product);
    if (stock > 0) {
      const lines = [{ ...product, quantity: stock }];
      await shop.call('POST', '/api/v1/inventory/receipts', { lines }, { token });
    }
  }
  return { admin: token, shopId, products: stocked };
}

export const address = {
  name: 'Ada Example',
  address_line1: '1 Quay Street',
  city: 'Bristol',
  postal_code: 'BS1 4DJ',
  country: 'GB',
};

/** The body of an order for a quantity of each product. */
export function orderBody(products: readonly StockedProduct[], quantity = 1, payment_method = 'pm_card_visa') {
  return {
    items: products.map((product) => ({ ...product, quantity })),
    payment_method,
    shipping_address: address,
  };
}
