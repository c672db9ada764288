import { createHash } from 'node:crypto';
import type { Ledger } from './ledger.js';

const shownRows = 100;

const style = `
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #1c2430; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #8a94a3; font-weight: 600; } td { border-bottom: 1px solid #e3e7ec; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } p { color: #4d5866; }
`;

/** Nothing but the page itself: no script, no picture, no other server. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'`,
};

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const inHtml = (text: string) => text.replace(/[&<>"']/g, (found) => entities[found] ?? '');

type Cell = string | number;

/** A table; numbers stand to the right. */
function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const first = rows[0] ?? [];
  const row = (tag: string, cells: readonly Cell[]) =>
    `<tr>${cells
      .map((cell, i) => `<${tag}${typeof first[i] === 'number' ? ' class="n"' : ''}>${inHtml(shown(cell))}</${tag}>`)
      .join('')}</tr>`;
  if (rows.length === 0) return '<p>none</p>';
  return `<table>${row('th', heads)}\n${rows.map((cells) => row('td', cells)).join('\n')}</table>`;
}

const shown = (cell: Cell) => (typeof cell === 'number' ? cell.toLocaleString('en-GB') : cell);
const second = (at: number) => new Date(at * 1000).toISOString().replace('.000', '');
const moment = (at: number) => new Date(at).toISOString();
const about = (metadata: Record<string, string>) =>
  Object.entries(metadata)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ');

/** Minor units as the currency is written. */
function money(minor: number, currency: string): string {
  const code = currency.toUpperCase();
  const digits = new Intl.NumberFormat('en-GB', { style: 'currency', currency: code }).resolvedOptions();
  const decimals = digits.maximumFractionDigits ?? 2;
  return `${(minor / 10 ** decimals).toLocaleString('en-GB', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })} ${code}`;
}

/** The books for people: totals, and the latest rows of everything. */
export function showLedgerPage(ledger: Ledger, now: Date, refreshSeconds?: number): string {
  const totals = Object.entries(ledger.totals());
  const counts = ledger.counts();
  const latest = ledger.lastMovements(shownRows);
  const captures = latest.flatMap(({ seq, movement }) =>
    movement.kind === 'capture'
      ? [
          [
            seq,
            second(movement.captured_at),
            money(movement.amount, movement.currency),
            movement.payment_intent,
            about(movement.metadata),
          ],
        ]
      : [],
  );
  const refunds = latest.flatMap(({ seq, movement }) =>
    movement.kind === 'refund'
      ? [
          [
            seq,
            second(movement.refunded_at),
            money(movement.amount, movement.currency),
            movement.payment_intent,
            movement.refund,
          ],
        ]
      : [],
  );
  const open = ledger
    .openIntents(shownRows)
    .map((intent) => [
      second(intent.created),
      intent.status,
      money(intent.amount, intent.currency),
      intent.id,
      intent.charge?.decline?.declineCode ?? '',
      about(intent.metadata),
    ]);
  const settlements = ledger
    .settlements()
    .slice(0, shownRows)
    .map(({ settlement }) => [moment(settlement.at), settlement.outcome, settlement.payment_intent]);
  const deliveries = ledger
    .deliveries(shownRows)
    .map(({ seq, delivery }) => [
      seq,
      delivery.type,
      delivery.attempts,
      delivery.behind === undefined ? moment(delivery.at) : `after ${delivery.behind}`,
      delivery.id,
    ]);
  const held = ledger.heldDeliveries(shownRows).map(({ type, id }) => [type, 'after the refund', id]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">\n`}<title>Sandbox payment provider: ledger</title>
<style>${style}</style>
</head>
<body>
<h1>Sandbox payment provider</h1>
<p>As of ${now.toISOString()}. At most ${shownRows} rows of each; <a href="/ledger">/ledger</a> has every movement as JSON.</p>
<h2>Totals</h2>
${table(
  ['currency', 'captured', 'captures', 'refunded', 'refunds', 'kept'],
  totals.map(([currency, sum]) => [
    currency.toUpperCase(),
    money(sum.captured, currency),
    sum.captures,
    money(sum.refunded, currency),
    sum.refunds,
    money(sum.captured - sum.refunded, currency),
  ]),
)}
<h2>Captures</h2>
${table(['number', 'at', 'amount', 'payment intent', 'metadata'], captures)}
<h2>Refunds</h2>
${table(['number', 'at', 'amount', 'payment intent', 'refund'], refunds)}
<h2>Open payment intents (${counts.open})</h2>
${table(['since', 'status', 'amount', 'payment intent', 'declined with', 'metadata'], open)}
<h2>Charges still to be settled (${counts.settlements})</h2>
${table(['due', 'outcome', 'payment intent'], settlements)}
<h2>Webhooks not delivered (${counts.deliveries})</h2>
${table(['number', 'event', 'attempts', 'next', 'id'], deliveries)}
<h2>Webhooks held back (${counts.held})</h2>
${table(['event', 'until', 'id'], held)}
</body>
</html>
`;
}
