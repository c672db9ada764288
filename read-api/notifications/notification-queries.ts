import type { Collection, Db, Filter } from 'mongodb';
import {
  type NotificationDocument,
  type NotificationKind,
  notificationsModel,
} from '../../projections/notifications/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import { type PageEnd, readPage } from '../paging.js';

export interface NotificationListQuery {
  /** Nobody reads another's inbox: there is no query without an owner. */
  readonly userId: string;
  readonly kind?: NotificationKind | undefined;
  readonly after?: PageEnd | undefined;
  readonly limit: number;
}

export interface NotificationQueries {
  /** Latest first. `more` tells whether there is another page. */
  list(query: NotificationListQuery): Promise<{ notifications: readonly NotificationDocument[]; more: boolean }>;
}

export function notificationQueries(db: Db): NotificationQueries {
  const notifications: Collection<NotificationDocument> = db.collection(readModelId(notificationsModel));
  return {
    async list({ userId, kind, after, limit }) {
      const filter: Filter<NotificationDocument> = { user_id: userId, ...(kind === undefined ? {} : { kind }) };
      const { page, more } = await readPage(notifications, { filter, field: 'at', direction: -1, after, limit });
      return { notifications: page, more };
    },
  };
}
