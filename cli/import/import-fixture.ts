import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { countryCodes } from './countries.js';

// For tests alone: invoices as the file has them, and a gateway that is not to be relied on.

export const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

const countries = Object.keys(countryCodes);

/** Made-up invoices with everything that is odd about real ones; the same ones for the same count. */
export function madeUpInvoices(count: number): string {
  const rows: string[] = [header];
  for (let i = 0; i < count; i += 1) {
    const month = ['2010-12', '2011-01', '2011-02'][Math.floor((3 * i) / count)];
    const time = `${month}-${String(1 + (i % 3)).padStart(2, '0')} ${String(8 + (i % 9)).padStart(2, '0')}:26:00`;
    const customer = i % 3 === 0 ? 'NA' : String(17_000 + (i % 5));
    const country = countries[i % countries.length] ?? '';
    const row = (code: string, about: string, quantity: number, price: string, at = time) =>
      rows.push([536_000 + i, code, about, quantity, at, price, customer, country].join(','));
    for (let line = 0; line <= i % 4; line += 1) {
      row(`8${i % 7}12${line}a`, '"LANTERN, ""WHITE"""', 1 + line, `${line}.${i % 10}5`);
      row(`8${i % 7}12${line}A`, 'NA', 2, '1.5');
    }
    if (i % 5 === 0) row('POST', 'POSTAGE', 1, '18');
    if (i % 6 === 0) row('22041', '', -1, '0');
    if (i % 7 === 0) row('22041', 'damages', -7, '1.25');
    if (i % 8 === 0) row('PADS', 'PADS', 1, '0.001');
    // A minute later, and not beside the others.
    if (i % 9 === 1) rows.push(`${535_999 + i},22041,FRAME,3,${time.replace(':26', ':27')},2.10,NA,United Kingdom`);
    if (i % 4 === 2) rows.push(`C${536_000 + i},8112a,LANTERN,-1,${time},2.55,${customer},${country}`);
    if (i % 11 === 3) rows.push(`A${536_000 + i},B,Adjust bad debt,1,${time},11062.06,NA,United Kingdom`);
  }
  return `${rows.join('\r\n')}\r\n`;
}

export interface Meddling {
  /** Asked before a request is passed on: an answer in its place. */
  readonly instead?: (path: string) => { status: number; headers?: Record<string, string>; code: string } | undefined;
  /** Whether the answer gets lost on its way back. */
  readonly loses?: (path: string) => boolean;
  /** What becomes of the text of an answer. */
  readonly changes?: (path: string, text: string) => string;
}

/** Stands before a gateway and meddles with what it says. */
export async function startMeddler(gatewayUrl: string, meddling: Meddling) {
  const server = createServer((req, res) => {
    const path = String(req.url);
    const pass = async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const instead = meddling.instead?.(path);
      if (instead !== undefined) {
        res.writeHead(instead.status, { 'content-type': 'application/json', ...instead.headers });
        res.end(JSON.stringify({ success: false, code: instead.code }));
        return;
      }
      const names = ['authorization', 'content-type', 'idempotency-key', 'x-consistency-token', 'x-allow-stale'];
      const headers = names.flatMap((name) =>
        req.headers[name] === undefined ? [] : [[name, String(req.headers[name])]],
      );
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
      const method = String(req.method);
      const answer = await fetch(`${gatewayUrl}${path}`, { method, headers: Object.fromEntries(headers), ...body });
      const text = await answer.text();
      if (meddling.loses?.(path) === true) {
        res.destroy();
        return;
      }
      const kept = ['content-type', 'x-consistency-token', 'idempotent-replayed', 'retry-after', 'x-stale'];
      for (const name of kept) if (answer.headers.has(name)) res.setHeader(name, String(answer.headers.get(name)));
      res.writeHead(answer.status);
      res.end(meddling.changes?.(path, text) ?? text);
    };
    pass().catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
