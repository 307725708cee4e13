import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRecovery } from '../../backup/recipients/recovery.ts';
import { systemClock } from '../../core/clock.ts';
import { settingsSchema } from '../../core/configuration.ts';
import { openHome } from '../../core/home.ts';
import { authorityPaths } from '../../security/certs/identities.ts';
import { PRINCIPAL_NAMES } from '../../security/principals/names.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { prepareContainers } from './prepare.ts';

let made: TemporaryHome;
let volumes: string;

beforeAll(async () => {
  made = temporaryHome();
  volumes = join(made.home.path, '..', 'volumes');
  await ensureRecovery(made.home, systemClock);
  const settings = settingsSchema.parse({});
  await prepareContainers(made.home, settings, {
    folder: volumes,
    settingsText: '# mine\ntopics:\n  partitions: 3\n',
    nodes: 1,
    collector: false,
  });
}, MINT_TIMEOUT);
afterAll(() => made.remove());

function filesOf(volume: string): readonly string[] {
  const folder = join(volumes, volume);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

const text = (volume: string, file: string): string => readFileSync(join(volumes, volume, file), 'utf8');

describe('what the containers get', () => {
  const processes = ['operator', 'source', 'worker', 'notary', 'recorder', 'archiver'];

  it.each(processes)('%s: its own keys, and of the others public halves alone', (name) => {
    const files = filesOf(name);
    expect(files).toContain(`principals/${name}/signing.key`);
    const others = PRINCIPAL_NAMES.filter((other) => other !== name);
    const foreign = files.filter((file) => others.some((other) => file.startsWith(`principals/${other}/`)));
    expect(foreign.length).toBeGreaterThan(0);
    expect(foreign.filter((file) => !file.endsWith('.pub'))).toEqual([]);
    expect(files.filter((file) => file.startsWith('authority/'))).toEqual(['authority/trust.crt']);
  });

  it('nobody but who makes the roles has another password, and nobody the key of the authority', () => {
    const all = readdirSync(volumes).flatMap((volume) => filesOf(volume).map((file) => `${volume}/${file}`));
    const passwords = all.filter((file) => file.endsWith('/password')).sort();
    const own = [...processes, 'break-glass'];
    expect(passwords.filter((file) => !file.startsWith('provision/'))).toEqual(
      processes.map((name) => `${name}/principals/${name}/password`).sort(),
    );
    expect(own.every((name) => all.includes(`provision/principals/${name}/password`))).toBe(true);
    expect(all.filter((file) => file.endsWith('ca.key'))).toEqual([]);
  });

  it('no file and no folder is open to others', () => {
    const entries = readdirSync(volumes, { recursive: true, withFileTypes: true });
    const loose = entries.filter((entry) => (statSync(join(entry.parentPath, entry.name)).mode & 0o077) !== 0);
    expect(loose.map(({ name }) => name)).toEqual([]);
  });

  it('servers: the configuration of the embedded ones, under the names of their containers', () => {
    const properties = text('kafka', 'kafka/server.properties');
    expect(properties).toContain('advertised.listeners=CLIENT://kafka:9092,');
    expect(properties).toContain(`ssl.keystore.location=${made.home.path}/servers/kafka/tls.pem`);
    const cassandra = parse(text('cassandra', 'cassandra/cassandra.yaml')) as Record<string, unknown>;
    expect(cassandra).toMatchObject({ listen_address: 'cassandra', authenticator: 'PasswordAuthenticator' });
    expect(filesOf('kafka').filter((file) => file.startsWith('principals/'))).toEqual([]);
  });

  it('settings: what the user set, and how to reach the servers; what is written goes elsewhere', () => {
    const settings = settingsSchema.parse(parse(text('worker', 'wardline.yaml')));
    expect(settings.topics.partitions).toBe(3);
    expect(settings.connection?.kafka.brokers).toEqual(['kafka:9092']);
    expect(settings.telemetry.otlpEndpoint).toBeUndefined();
    // Each has what it needs in its container but the drill, which would need servers of its own.
    expect(settings.backup.schedule).toEqual({ ...settingsSchema.parse({}).backup.schedule, drill: '' });
    expect(text('worker', 'wardline.yaml')).toContain('# mine');
    const home = openHome(join(volumes, 'worker'));
    expect(home.install).toBe(made.home.install);
    expect(home.paths.spool).toBe('/state/spool');
  });

  it('the same again, when it is asked for again', async () => {
    const before = readdirSync(volumes).flatMap((volume) => filesOf(volume).map((file) => text(volume, file)));
    await prepareContainers(made.home, settingsSchema.parse({}), {
      folder: volumes,
      settingsText: '# mine\ntopics:\n  partitions: 3\n',
      nodes: 1,
      collector: false,
    });
    const after = readdirSync(volumes).flatMap((volume) => filesOf(volume).map((file) => text(volume, file)));
    expect(after).toEqual(before);
  });
});

describe('three nodes of each server', () => {
  let three: TemporaryHome;
  let folder: string;
  const of = (volume: string, file: string): string => readFileSync(join(folder, volume, file), 'utf8');

  beforeAll(async () => {
    three = temporaryHome();
    folder = join(three.home.path, '..', 'three-volumes');
    await ensureRecovery(three.home, systemClock);
    await prepareContainers(three.home, settingsSchema.parse({}), {
      folder,
      settingsText: undefined,
      nodes: 3,
      collector: true,
    });
  }, MINT_TIMEOUT);
  afterAll(() => three.remove());

  it('each broker has its own id and name, and knows the others as controllers', () => {
    for (const [index, name] of ['kafka', 'kafka-2', 'kafka-3'].entries()) {
      const properties = of(name, 'kafka/server.properties').split('\n');
      expect(properties).toContain(`node.id=${index + 1}`);
      expect(properties).toContain('controller.quorum.bootstrap.servers=kafka:9094,kafka-2:9094,kafka-3:9094');
      expect(properties).toContain('min.insync.replicas=2');
      expect(properties.find((line) => line.startsWith('advertised.listeners'))).toContain(`CLIENT://${name}:9092`);
      expect(of(`${name}-format`, 'kafka/server.properties')).toBe(of(name, 'kafka/server.properties'));
      const format = of(`${name}-format`, 'kafka/format.options');
      expect(format).toMatch(/1@kafka:9094:[\w-]{22},2@kafka-2:9094:[\w-]{22},3@kafka-3:9094:[\w-]{22}/);
    }
  });

  it('each node of Cassandra has its own address and third of the ring, and finds the others through the first', () => {
    const nodes = ['cassandra', 'cassandra-2', 'cassandra-3'].map(
      (name) => parse(of(name, 'cassandra/cassandra.yaml')) as Readonly<Record<string, unknown>>,
    );
    expect(nodes.map((node) => node['listen_address'])).toEqual(['cassandra', 'cassandra-2', 'cassandra-3']);
    expect(nodes.map((node) => node['initial_token'])).toEqual([
      '-9223372036854775808',
      '-3074457345618258603',
      '3074457345618258602',
    ]);
    for (const node of nodes) expect(JSON.stringify(node['seed_provider'])).toContain('"cassandra:7000"');
  });

  it('what acts as a principal reaches all of them, and makes as many copies as can be', () => {
    const settings = settingsSchema.parse(parse(of('worker', 'wardline.yaml')));
    expect(settings.connection?.kafka.brokers).toEqual(['kafka:9092', 'kafka-2:9092', 'kafka-3:9092']);
    expect(settings.connection?.cassandra.contactPoints).toHaveLength(3);
    expect(settings.topics.replicationFactor).toBe(3);
  });

  it('sends telemetry to the collector, which has a certificate of its own, where the profile is on', () => {
    const { telemetry } = settingsSchema.parse(parse(of('worker', 'wardline.yaml')));
    expect(telemetry.otlpEndpoint).toBe('https://collector:4318');
    expect(telemetry.otlpCa).toBe(authorityPaths(three.home).trust);
    for (const name of ['collector', 'jaeger']) {
      const certificate = new X509Certificate(of(name, `servers/${name}/tls.crt`));
      expect(certificate.checkHost(name)).toBe(name);
      expect(certificate.checkPrivateKey(createPrivateKey(of(name, `servers/${name}/tls.key`)))).toBe(true);
    }
  });
});
