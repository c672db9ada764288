import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectFolder } from '../support/titled-tests.js';
import { type ComposeService, composeFile, composeText, readProject, sourceOf, variablesOf } from './compose-file.js';

/** What a service is given beside its own schema: where it listens comes from the image, and how to ask for its health. */
const besides = new Set(['HEALTH_PATH']);
const secretName = /(_SECRET|_KEY|PASSWORD|REDISCLI_AUTH)$/;

describe('docker-compose.yml', () => {
  const { services, networks, volumes, secrets } = composeFile();
  const named = (wanted: (service: ComposeService) => boolean) =>
    Object.entries(services).filter(([, service]) => wanted(service));
  const ours = named(({ build }) => build !== undefined);
  const roles = ours.filter(([, service]) => sourceOf(service) !== undefined);
  const volumesOf = Object.fromEntries(named(({ volumes: mounted }) => mounted !== undefined));
  const variables = (text: string) => [...text.matchAll(/(?<!\$)\$\{([A-Z_]+)(:\?|:-)?/g)];

  it('has a service for every role, from one image', () => {
    expect(roles.map(([name]) => name)).to.deep.equal([
      'gateway',
      'command-api',
      'process-manager',
      'projections',
      'read-api',
      'payment-provider',
    ]);
    expect(new Set(ours.map(([, { image }]) => image)).size).to.equal(1);
  });

  for (const [name, service] of roles) {
    const source = sourceOf(service) ?? '';
    it(`gives ${name} what it reads, all that it needs, and nothing else`, () => {
      const read = variablesOf(source);
      const given = Object.keys(service.environment ?? {});
      const extra = name === 'payment-provider' ? [] : ['HOST', 'PORT'];
      expect(read.size, `the schema in ${source}`).to.be.greaterThan(extra.length);
      for (const variable of extra) expect([...read.keys()]).to.include(variable);
      expect(given.filter((key) => !read.has(key) && !besides.has(key))).to.deep.equal([]);
      const needed = [...read].flatMap(([key, isNeeded]) => (isNeeded ? [key] : []));
      expect(needed.filter((key) => !given.includes(key))).to.deep.equal([]);
    });
  }

  it('leads every service to others by their names and ports', () => {
    const portOf = (host: string) => services[host]?.environment?.['PORT'];
    const stores: Readonly<Record<string, string>> = { eventstore: '2113', mongodb: '27017', redis: '6379' };
    let checked = 0;
    for (const [name, { environment = {}, networks: joined = [] }] of ours) {
      for (const [key, value] of Object.entries(environment)) {
        if (!key.endsWith('_URL') || value.startsWith('${')) continue;
        const url = new URL(value.replace(/\$\{[^}]*\}/g, 'x'));
        expect(url.port, `${name} ${key}`).to.equal(stores[url.hostname] ?? portOf(url.hostname));
        const there = services[url.hostname]?.networks ?? [];
        expect(
          joined.some((network) => there.includes(network)),
          `${name} reaches ${url.hostname}`,
        ).to.equal(true);
        checked += 1;
      }
    }
    expect(checked).to.be.greaterThan(10);
  });

  it('holds no secret, and refuses to start without one', () => {
    for (const [name, { environment = {} }] of Object.entries(services)) {
      for (const [key, value] of Object.entries(environment)) {
        if (secretName.test(key)) expect(value, `${name} ${key}`).to.match(/^\$\{[A-Z_]+:\?[^}]+\}$/);
      }
    }
    for (const { file } of Object.values(secrets)) expect(file).to.match(/^\$\{[A-Z_]+:\?/);
    for (const [text, name, how] of variables(composeText())) {
      expect(how, text).to.equal(secretName.test(name ?? '') || name === 'JWT_PRIVATE_KEY_FILE' ? ':?' : ':-');
    }
  });

  it('shows no secret in a list of processes, and runs no store as root behind a shell', () => {
    for (const [name, { command = [], user }] of Object.entries(services)) {
      // What a shell reads from standard input is no argument of what it runs.
      const [args = ''] = command.join('\n').split('<<');
      expect(args, name).not.to.match(/\$\$\w*(SECRET|KEY|PASSWORD|AUTH)/);
      // The images' entry points give up root only for the server's own name.
      if (command[0] === 'sh' && name in volumesOf) expect(user, name).to.be.a('string').that.is.not.equal('root');
    }
  });

  it('is explained by .env.example, which holds no secret either', () => {
    const example = readProject('.env.example');
    const explained = [...example.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => ({
      name,
      value,
    }));
    const used = new Set(variables(composeText()).map(([, name]) => name));
    used.add('COMPOSE_PROFILES');
    expect(new Set(explained.map(({ name }) => name))).to.deep.equal(used);
    for (const { name, value } of explained) if (secretName.test(name)) expect(value).to.equal('');
    expect(readProject('.gitignore').split('\n')).to.include('.env');
    expect(readProject('.dockerignore').split('\n')).to.include.members(['.env', 'keys', 'data']);
  });

  it('opens the gateway alone to others, and the stores to this machine where asked', () => {
    for (const [name, { ports = [], profiles = [] }] of Object.entries(services)) {
      const open = ports.filter((port) => !port.startsWith('127.0.0.1:'));
      expect(open.length, name).to.equal(name === 'gateway' ? 1 : 0);
      if (ports.length > 0 && name !== 'gateway') expect(profiles).to.deep.equal(['local']);
    }
    expect(networks['stores']).to.deep.equal({ internal: true });
    for (const store of ['eventstore', 'mongodb', 'redis']) expect(services[store]?.networks).to.deep.equal(['stores']);
  });

  it('bounds every service, watches all that serve, and keeps ours from writing', () => {
    for (const [name, service] of Object.entries(services)) {
      expect(service, name).to.include.keys('cpus', 'mem_limit', 'restart', 'networks', 'security_opt');
      if (name !== 'tools' && name !== 'local-ports') expect(service, name).to.include.keys('healthcheck');
    }
    for (const [name, service] of ours) {
      expect(service, name).to.include({ init: true, read_only: true, stop_grace_period: '20s' });
      expect(service['cap_drop'], name).to.deep.equal(['ALL']);
    }
  });

  it('names nothing that it does not define', () => {
    const used = Object.values(services).flatMap(({ volumes: mounted = [] }) =>
      mounted.map((one) => one.split(':')[0]),
    );
    expect(new Set(used)).to.deep.equal(new Set(Object.keys(volumes)));
    for (const { networks: joined = [], depends_on = {} } of Object.values(services)) {
      for (const network of joined) expect(networks).to.have.property(network);
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(condition).to.equal('service_healthy');
        expect(services[name], name).to.have.property('healthcheck');
      }
    }
  });
});

describe('the Dockerfile', () => {
  const dockerfile = readProject('Dockerfile');

  it('copies what is there, and runs as nobody of importance', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    expect(copied).to.include.members(['package.json', 'package-lock.json', 'cli/shopledger.mjs', 'scripts/build.mjs']);
    for (const file of copied) expect(existsSync(join(projectFolder(), file)), file).to.equal(true);
    expect(dockerfile).to.match(/^USER node\nSTOPSIGNAL SIGTERM\nCMD /m);
  });

  it('starts from the Node that the package wants', () => {
    const { engines } = JSON.parse(readProject('package.json')) as { engines: { node: string } };
    const [, wanted] = />=(\d+)/.exec(engines.node) ?? [];
    const images = [...dockerfile.matchAll(/^FROM node:(\d+)-/gm)].map(([, major]) => major);
    expect(images).to.deep.equal([wanted, wanted, wanted]);
  });

  it('runs mains that the build makes', () => {
    const mains = [...dockerfile.matchAll(/"dist\/([^"]+)\.js"/g)].map(([, file]) => `${file}.ts`);
    const commands = Object.values(composeFile().services).flatMap((service) => sourceOf(service) ?? []);
    for (const file of [...mains, ...commands]) expect(existsSync(join(projectFolder(), file)), file).to.equal(true);
  });
});
