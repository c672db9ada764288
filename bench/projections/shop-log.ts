import { openParts } from '../../embedded/event-store-server/store-fixture.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { type Random, seeded } from '../../test/support/seeded.js';
import type { Harness } from '../harness.js';
import { createProduct, type Goods, receiveStock } from '../shop/asking.js';
import { createRecorder, declinedCard, recordOrder } from '../shop/recorded-orders.js';

export interface ShopLog {
  readonly dataDir: string;
  readonly events: number;
}

const ordersAtOnce = 16;
const products = 200;
const users = 300;
const shops = 5;

const things = ['Lantern', 'Tea Towel', 'Candle', 'Mug', 'Chopping Board', 'Throw', 'Teapot', 'Doormat', 'Basket'];
const kinds = ['Enamel', 'Linen', 'Beeswax', 'Stoneware', 'Oak', 'Wool', 'Copper', 'Willow'];

/** What a seeded shop sells. */
function catalogueOf(random: Random, count: number): Goods[] {
  const shopIds = Array.from({ length: shops }, () => random.uuid());
  return Array.from({ length: count }, (_, i) => ({
    variant_id: random.uuid(),
    product_id: random.uuid(),
    shop_id: random.pick(shopIds),
    sku: `SKU-${String(i).padStart(5, '0')}`,
    name: `${random.pick(kinds)} ${random.pick(things)} ${i}`,
    category: random.pick(['Lighting', 'Kitchen', 'Textiles', 'Garden']),
    price: random.between(195, 9_995),
  }));
}

/**
 * A log of a shop's day: products, stock, and orders of two lines, some of them under way at the same time; one in ten
 * is declined. Written by the server's own writer without its network.
 */
export async function writeShopLog(harness: Harness, orders: number): Promise<ShopLog> {
  const random = seeded('shop-log', harness.seed);
  const goods = catalogueOf(random, products);
  const userIds = Array.from({ length: users }, () => random.uuid());
  const recorder = createRecorder();
  const { commands } = recorder;
  harness.progress(`writing a log of ${orders} orders`);
  for (const one of goods) {
    for (const asked of [createProduct(one), receiveStock(one, 1_000_000)]) {
      await commands.handle(asked.aggregate, asked.id, asked.command, asked.context);
    }
  }
  const placings = Array.from({ length: orders }, (_, i) => {
    const first = random.pick(goods);
    // Lines of one order are of one shop here, so that its events name what a shop's do.
    const others = goods.filter(({ shop_id, sku }) => shop_id === first.shop_id && sku !== first.sku);
    const placing = { goods: [first, random.pick(others)], userId: random.pick(userIds), number: i + 1 };
    return random.chance(0.1) ? { ...placing, payment_method: declinedCard } : placing;
  });
  await inParallel(placings, ordersAtOnce, async (placing) => {
    await recordOrder(recorder, placing);
  });
  const appends = recorder.take().flat();
  const dataDir = await harness.folder();
  const { writer, close } = await openParts(dataDir);
  let events = 0;
  try {
    const written = appends.map((append) => {
      events += append.events.length;
      const encoded = append.events.map(({ id, type, data, metadata }) => ({
        id,
        type,
        isJson: true,
        data: Buffer.from(JSON.stringify(data)),
        customMetadata: Buffer.from(JSON.stringify(metadata)),
      }));
      return writer.append(append.stream, 'any', encoded);
    });
    await Promise.all(written);
  } finally {
    await close();
  }
  return { dataDir, events };
}
