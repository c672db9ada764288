import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

export const shopsModel: ReadModel = { name: 'shops', version: 1, indexes: [{ key: { owner_id: 1, _id: 1 } }] };

/** A shop, `_id` is its id. */
export interface ShopBody {
  readonly owner_id: string;
  readonly name: string;
  readonly country: string;
  readonly status: 'opened' | 'verified' | 'suspended';
}

export interface ShopDocument extends ShopBody {
  readonly _id: string;
  readonly position: bigint;
}
