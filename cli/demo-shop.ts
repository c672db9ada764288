import { randomBytes } from 'node:crypto';
import type { DataFolder, RunningFacts } from './data-folder.js';
import { type LocalUser, registerLocally } from './local-users.js';
import { ShopClient } from './shop-client.js';

/** The demo's log-ins; the password is made for each data folder. */
export interface DemoShop {
  readonly admin: string;
  readonly customer: string;
  readonly password: string;
  readonly seeded: boolean;
}

const file = 'demo-shop.json';

const products = [
  { name: 'Enamel Lantern', category: 'Lighting', price: 34.5, sizes: ['Small', 'Large'], stock: 120 },
  { name: 'Linen Tea Towel', category: 'Kitchen', price: 9.95, sizes: ['Blue', 'Ochre', 'Grey'], stock: 400 },
  { name: 'Beeswax Candle', category: 'Lighting', price: 12.0, sizes: [''], stock: 250 },
  { name: 'Stoneware Mug', category: 'Kitchen', price: 16.25, sizes: ['White', 'Slate'], stock: 180 },
  { name: 'Oak Chopping Board', category: 'Kitchen', price: 42.0, sizes: [''], stock: 60 },
  { name: 'Wool Throw', category: 'Textiles', price: 79.0, sizes: ['Heather', 'Moss'], stock: 35 },
];

export function demoShopOf(data: DataFolder): DemoShop | undefined {
  return data.readJson<DemoShop>(file);
}

/** Plans a demo shop for a data folder that was just made; its password is made now. */
export function planDemoShop(data: DataFolder): void {
  const password = randomBytes(9).toString('base64url');
  const demo: DemoShop = { admin: 'admin@demo.shop', customer: 'ada@demo.shop', password, seeded: false };
  data.write(file, JSON.stringify(demo));
}

/**
 * Puts the planned shop into the store: an admin, a customer, products with stock. Every step has a key of its own, so
 * that a start that was cut short goes on where it stopped.
 *
 * @returns undefined where none was planned
 */
export async function ensureDemoShop(
  data: DataFolder,
  facts: RunningFacts,
  signal?: AbortSignal,
): Promise<DemoShop | undefined> {
  const demo = demoShopOf(data);
  if (demo === undefined || demo.seeded) return demo;
  const { admin, customer, password } = demo;
  const users: LocalUser[] = [
    { email: admin, password, name: 'Demo Admin', roles: ['admin'] },
    { email: customer, password, name: 'Ada Demo', roles: ['customer'] },
  ];
  await registerLocally('demo-user', users, { secrets: data.secrets(), facts });
  signal?.throwIfAborted();
  await openShop(await new ShopClient(facts.gatewayUrl).logIn(demo.admin, demo.password));
  const seeded = { ...demo, seeded: true };
  data.write(file, JSON.stringify(seeded));
  return seeded;
}

async function openShop(admin: ShopClient): Promise<void> {
  const key = (name: string) => ({ 'idempotency-key': `demo-${name}` });
  const shop = await admin.must('POST', '/shops', { name: 'Harbour Goods', country: 'GB' }, key('shop'));
  const lines: unknown[] = [];
  for (const [i, { name, category, price, sizes, stock }] of products.entries()) {
    const variants = sizes.map((title, v) => ({ sku: `HG-${i + 1}${v + 1}`, title, price: price + v }));
    const body = { shop_id: shop.data.shop_id, name, category, currency: 'GBP', variants };
    const { data } = await admin.must('POST', '/products', body, key(`product-${i}`));
    for (const { variant_id } of data.variants)
      lines.push({ product_id: data.product_id, variant_id, quantity: stock });
  }
  await admin.must('POST', '/inventory/receipts', { lines }, key('receipt'));
}
