import { cartDefinitions } from './cart/cart-events.js';
import { createCatalog } from './core/event-codec.js';
import { fulfilmentDefinitions } from './fulfilment/fulfilment-events.js';
import { inventoryDefinitions } from './inventory/inventory-events.js';
import { receiptDefinitions } from './inventory/receipt-events.js';
import { orderDefinitions } from './order/order-events.js';
import { orderNumberDefinitions } from './order/order-number-events.js';
import { paymentDefinitions } from './payment/payment-events.js';
import { webhookClaimDefinitions } from './payment/webhook-claim-events.js';
import { productDefinitions } from './product/product-events.js';
import { shopDefinitions } from './shop/shop-events.js';
import { emailClaimDefinitions } from './user/email-claim-events.js';
import { sessionDefinitions } from './user/session-events.js';
import { userDefinitions } from './user/user-events.js';

/** Every event type that Shopledger stores, and the only registry of them. */
export const eventCatalog = createCatalog([
  ...userDefinitions,
  ...sessionDefinitions,
  ...emailClaimDefinitions,
  ...shopDefinitions,
  ...productDefinitions,
  ...cartDefinitions,
  ...inventoryDefinitions,
  ...receiptDefinitions,
  ...orderDefinitions,
  ...orderNumberDefinitions,
  ...paymentDefinitions,
  ...webhookClaimDefinitions,
  ...fulfilmentDefinitions,
]);
