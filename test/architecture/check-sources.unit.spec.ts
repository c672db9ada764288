import { expect } from 'chai';
import { checkSources, tell } from './check-sources.js';

function breaches(path: string, ...lines: string[]): string[] {
  return checkSources([{ path, text: `${lines.join('\n')}\n` }]).map(({ line, rule }) => `${line} ${rule}`);
}

const importing = (target: string) => `import { x } from '${target}';`;

describe('the checker of the rooms', () => {
  const allowed: readonly (readonly [path: string, line: string])[] = [
    ['domain/core/money.ts', importing('zod')],
    ['domain/core/money.ts', importing('./ids.js')],
    ['domain/order/order.ts', importing('./order-events.js')],
    ['domain/order/order.ts', importing('../core/money.js')],
    ['domain/fulfilment/next-steps.ts', importing('../order/order-events.js')],
    ['domain/fulfilment/next-steps.ts', "import type { OrderCommand } from '../order/order.js';"],
    ['domain/fulfilment/next-steps.ts', "import { type OrderCommand } from '../order/order.js';"],
    ['domain/event-catalog.ts', importing('./order/order-events.js')],
    ['runtime/ids.ts', importing('node:crypto')],
    ['runtime/ids.ts', importing('../domain/core/ids.js')],
    ['command-api/app.ts', importing('../domain/order/order.js')],
    ['command-api/app.ts', importing('../runtime/http/app.js')],
    ['projections/orders/orders.ts', importing('../../domain/order/order-events.js')],
    ['projections/orders/orders.ts', importing('../../domain/event-catalog.js')],
    ['read-api/orders/order-queries.ts', importing('../../projections/orders/document.js')],
    ['read-api/audit/state.ts', importing('../../domain/order/order.js')],
    ['read-api/audit/state.ts', importing('../../projections/orders/orders.js')],
    ['gateway/app.ts', importing('../runtime/logger.js')],
    ['embedded/event-store-server/main.ts', importing('../../runtime/config.js')],
    ['embedded/event-store-server/main.ts', importing('../data-lock.js')],
    ['embedded/supervisor.ts', importing('../runtime/logger.js')],
    ['cli/up.ts', importing('../embedded/supervisor.js')],
    ['cli/up.ts', importing('../command-api/auth/email.js')],
    ['test/support/shop.ts', importing('../../cli/up.js')],
    ['bench/append.ts', importing('../test/support/stores.js')],
    ['gateway/proxy.int.spec.ts', importing('../command-api/app.js')],
    ['gateway/proxy.int.spec.ts', importing('../test/support/eventually.js')],
    ['gateway/proxy.int.spec.ts', importing('./gateway-fixture.js')],
    ['gateway/gateway-fixture.ts', importing('../command-api/app.js')],
    ['gateway/gateway-fixture.ts', importing('../test/support/stores.js')],
    ['domain/order/order.unit.spec.ts', 'const now = new Date();'],
    [
      'domain/order/order.ts',
      "const at = new Date('2026-01-01'); Date.parse(text); Math.max(1, 2); at instanceof Date;",
    ],
    ['domain/order/order.ts', 'const told = (process: string) => process; const { crypto } = payment; order.process;'],
    ['domain/order/order.ts', '// import { x } from "../cart/cart.js"; Date.now()'],
    ['runtime/lifecycle.ts', 'process.exit(Date.now());'],
    ['command-api/process-manager/main.ts', 'export {};'],
  ];
  for (const [path, line] of allowed) {
    it(`lets ${path} say ${line}`, () => {
      expect(breaches(path, line)).to.deep.equal([]);
    });
  }

  const refused: readonly (readonly [rule: string, path: string, line: string])[] = [
    ['import', 'domain/core/money.ts', importing('chai')],
    ['import', 'domain/core/money.ts', importing('node:crypto')],
    ['import', 'domain/core/money.ts', importing('crypto')],
    ['import', 'domain/core/money.ts', importing('../order/order-events.js')],
    ['import', 'domain/order/order.ts', importing('../cart/cart-events.js')],
    ['import', 'domain/order/order.ts', "import type { Cart } from '../cart/cart.js';"],
    ['import', 'domain/order/order.ts', importing('../../runtime/ids.js')],
    ['import', 'domain/order/order.ts', importing('../event-catalog.js')],
    ['import', 'domain/order/order.ts', importing('../orders/order.js')],
    ['import', 'domain/fulfilment/next-steps.ts', importing('../order/order.js')],
    ['import', 'domain/fulfilment/next-steps.ts', importing('../../runtime/ids.js')],
    ['import', 'domain/event-catalog.ts', importing('./order/order.js')],
    ['import', 'runtime/ids.ts', importing('../domain/order/order-events.js')],
    ['import', 'runtime/ids.ts', importing('../command-api/app.js')],
    ['import', 'runtime/ids.ts', importing('../embedded/redis.js')],
    ['import', 'command-api/app.ts', importing('../projections/orders/document.js')],
    ['import', 'command-api/app.ts', importing('../read-api/app.js')],
    ['import', 'command-api/app.ts', importing('../gateway/app.js')],
    ['import', 'projections/orders/orders.ts', importing('../../domain/order/order.js')],
    ['import', 'projections/orders/orders.ts', importing('../../domain/fulfilment/fulfilment.js')],
    ['import', 'projections/orders/orders.ts', importing('../../read-api/app.js')],
    ['import', 'read-api/orders/order-queries.ts', importing('../../projections/orders/orders.js')],
    ['import', 'read-api/orders/order-queries.ts', importing('../../domain/order/order.js')],
    ['import', 'read-api/orders/order-queries.ts', importing('../../domain/order/order-events.js')],
    ['import', 'read-api/audit/state.ts', importing('../../command-api/app.js')],
    ['import', 'gateway/app.ts', importing('../command-api/app.js')],
    ['import', 'gateway/app.ts', importing('../domain/core/money.js')],
    ['import', 'embedded/event-store-server/main.ts', importing('../../domain/core/ids.js')],
    ['import', 'embedded/event-store-server/main.ts', importing('../../runtime/event-store/follow.js')],
    ['import', 'embedded/event-store-server/main.ts', importing('../document-store-server/main.js')],
    ['import', 'embedded/supervisor.ts', importing('../gateway/app.js')],
    ['import', 'embedded/supervisor.ts', importing('./event-store-server/main.js')],
    ['test-import', 'cli/up.ts', importing('../test/support/shop.js')],
    ['test-import', 'cli/up.ts', importing('../bench/harness.js')],
    ['test-import', 'gateway/app.ts', importing('./gateway-fixture.js')],
    ['test-import', 'gateway/app.ts', importing('./auth.int.spec.js')],
    ['test-import', 'gateway/gateway-fixture.ts', importing('../test/drill/main.js')],
    ['entry-import', 'command-api/app.ts', importing('../cli/fault.js')],
    ['room', 'helpers/x.ts', importing('zod')],
    ['room', 'domain/order.ts', importing('zod')],
    ['impurity', 'domain/order/order.ts', 'const at = Date.now();'],
    ['impurity', 'domain/order/order.ts', 'const at = new Date();'],
    ['impurity', 'domain/order/order.ts', 'const at = new Date;'],
    ['impurity', 'domain/order/order.ts', 'const at = Date();'],
    ['impurity', 'domain/order/order.ts', 'const { now } = Date;'],
    ['impurity', 'domain/order/order.ts', 'const luck = Math.random();'],
    ['impurity', 'domain/order/order.ts', 'const { random } = Math;'],
    ['impurity', 'domain/order/order.ts', 'const id = crypto.randomUUID();'],
    ['impurity', 'domain/order/order.ts', 'const id = globalThis.crypto.randomUUID();'],
    ['impurity', 'domain/order/order.ts', "const level = process.env['LEVEL'];"],
    ['impurity', 'domain/order/order.ts', 'setTimeout(later, 5);'],
    ['impurity', 'domain/core/money.ts', 'const deps = { fetch };'],
    ['impurity', 'domain/fulfilment/fulfilment.ts', 'return Date.now();'],
    ['file-name', 'command-api/orders/index.ts', 'export {};'],
    ['file-name', 'runtime/utils.ts', 'export {};'],
    ['file-name', 'runtime/http/helpers.ts', 'export {};'],
    ['file-name', 'runtime/http/url-helper.ts', 'export {};'],
    ['file-name', 'command-api/orders/order-service.ts', 'export {};'],
    ['file-name', 'command-api/orders/order-manager.ts', 'export {};'],
    ['file-name', 'test/support/utils.ts', 'export {};'],
  ];
  for (const [rule, path, line] of refused) {
    it(`does not let ${path} say ${line} (${rule})`, () => {
      expect(breaches(path, line)).to.deep.equal([`1 ${rule}`]);
    });
  }

  describe('knows an import', () => {
    const forms = [
      "import { Cart } from '../cart/cart.js';",
      "import '../cart/cart.js';",
      "import type { Cart } from '../cart/cart.js';",
      "import Cart, { type State } from '../cart/cart.js';",
      "import * as cart from '../cart/cart.js';",
      "export { Cart } from '../cart/cart.js';",
      "export * from '../cart/cart.js';",
      "export type { Cart } from '../cart/cart.js';",
      "const cart = await import('../cart/cart.js');",
      'const cart = await import(`../cart/cart.js`);',
      "type Cart = import('../cart/cart.js').Cart;",
      "import cart = require('../cart/cart.js');",
    ];
    for (const form of forms) {
      it(`in: ${form}`, () => {
        expect(breaches('domain/order/order.ts', '', '', form)).to.deep.equal(['3 import']);
      });
    }
  });

  it('counts the lines of a file', () => {
    const lines = Array.from({ length: 350 }, (_, index) => `// ${index}`);
    expect(breaches('gateway/app.ts', ...lines)).to.deep.equal([]);
    expect(breaches('gateway/app.ts', ...lines, '// one more')).to.deep.equal(['351 file-length']);
  });

  it('tells file, line, rule, breach and mend', () => {
    const [found] = checkSources([{ path: 'gateway/app.ts', text: `\n${importing('../read-api/app.js')}` }]);
    expect(found && tell(found)).to.equal(
      'gateway/app.ts:2  import: gateway must not import read-api/app.ts; the gateway reaches every other service over HTTP',
    );
  });
});
