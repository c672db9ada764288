import { productSalesProjection } from './analytics/product-sales.js';
import { salesProjection } from './analytics/sales.js';
import { ordersProjection } from './orders/orders.js';
import { productSearchProjection } from './product-search/product-search.js';
import type { Projection } from './projection.js';

/** Every projection that is kept live. */
export const allProjections: readonly Projection[] = [
  ordersProjection,
  productSearchProjection,
  salesProjection,
  productSalesProjection,
];
