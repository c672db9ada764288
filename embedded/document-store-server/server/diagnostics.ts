import { arch, cpus, hostname, release, totalmem, type } from 'node:os';
import { CommandError, code } from '../errors.js';
import type { Context, Reply } from './context.js';
import { version } from './handshake.js';

/** @throws CommandError 13 outside the database `admin` */
export function checkAdmin({ args, database }: Context): void {
  if (database === 'admin') return;
  throw new CommandError(code.unauthorized, `${args.name} may only be run against the admin database.`);
}

/** A few figures; the sections that a client may switch on and off are not there to begin with. */
export function serverStatus({ args, server }: Context): Reply {
  args.allowRest();
  const uptime = performance.now() - server.startedAt;
  return {
    host: hostname(),
    version,
    process: 'shopledger-document-store',
    pid: BigInt(process.pid),
    uptime: Math.round(uptime / 1000),
    uptimeMillis: BigInt(Math.round(uptime)),
    localTime: new Date(),
    connections: { current: server.connections() },
    mem: { bits: 64, resident: Math.round(process.memoryUsage.rss() / 2 ** 20) },
    metrics: { cursor: { open: { total: BigInt(server.cursors.size) } } },
    storageEngine: { name: 'lmdb', persistent: true, readOnly: false },
  };
}

/** There are no users, so nobody is ever logged in. */
export function connectionStatus({ args }: Context): Reply {
  const showPrivileges = args.flag('showPrivileges');
  args.finish();
  return {
    authInfo: {
      authenticatedUsers: [],
      authenticatedUserRoles: [],
      authenticatedUserPrivileges: showPrivileges ? [] : undefined,
    },
  };
}

export function hostInfo({ args }: Context): Reply {
  args.finish();
  return {
    system: {
      currentTime: new Date(),
      hostname: hostname(),
      cpuAddrSize: 64,
      memSizeMB: BigInt(Math.round(totalmem() / 2 ** 20)),
      numCores: cpus().length,
      cpuArch: arch(),
    },
    os: { type: type(), version: release() },
    extra: {},
  };
}

/** The one parameter there is tells drivers and tools as what version this server behaves. */
export function getParameter(context: Context): Reply {
  const { args } = context;
  checkAdmin(context);
  const wanted = args.value('getParameter');
  const all = wanted?.type === 2 && wanted.text === '*';
  const names = args.allowRest();
  const name = 'featureCompatibilityVersion';
  if (!all && !names.includes(name)) {
    throw new CommandError(code.invalidOptions, `no option found to get; supported: ${name}`);
  }
  return { [name]: { version: '7.0' } };
}
