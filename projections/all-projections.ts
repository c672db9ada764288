import { productSalesProjection } from './analytics/product-sales.js';
import { salesProjection } from './analytics/sales.js';
import { inventoryProjection } from './inventory/inventory.js';
import { reservationsProjection } from './inventory/reservations.js';
import { notificationsProjection } from './notifications/notifications.js';
import { ordersProjection } from './orders/orders.js';
import { productSearchProjection } from './product-search/product-search.js';
import type { Projection } from './projection.js';
import { shopsProjection } from './shops/shops.js';

/** Every projection that is kept live. */
export const allProjections: readonly Projection[] = [
  ordersProjection,
  productSearchProjection,
  inventoryProjection,
  reservationsProjection,
  shopsProjection,
  notificationsProjection,
  salesProjection,
  productSalesProjection,
];
