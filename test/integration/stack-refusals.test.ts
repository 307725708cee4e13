import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { openOrCreateHome, type Home } from '../../core/home.ts';
import { asIssuer, readAuthority } from '../../security/certs/authority.ts';
import { identities, principalAccess, type Identity, type ServerName } from '../../security/certs/identities.ts';
import { mintCertificates, renewCertificate } from '../../security/certs/mint.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { nodetool } from '../../stack/index.ts';
import { provideJars } from '../../stack/provide/jars.ts';
import { stackLayout } from '../../stack/layout.ts';
import { readPorts, type Ports } from '../../stack/ports.ts';
import { nodetoolJvmOptions } from '../../stack/render/java-options.ts';
import {
  cqlOptions,
  internodeInitiate,
  kafkaApiVersions,
  kafkaMetadata,
  plainOutcome,
  tlsOutcome,
} from '../../cli/doctor/probe/sockets.ts';
import { withStack } from '../support/stack.ts';

const { home, connection } = withStack();
const YEAR = 365 * 24 * 60 * 60 * 1000;

let ports: Ports;
let foreignHome: Home;
let folder: string;

/** Every port that speaks TLS, whose certificate it admits, and what a client says first on it. */
const TLS_PORTS = [
  { name: 'kafkaClient', holder: 'operator', request: kafkaApiVersions() },
  { name: 'kafkaBroker', holder: 'operator', request: kafkaApiVersions() },
  { name: 'kafkaController', holder: 'operator', request: kafkaApiVersions() },
  { name: 'cassandraClient', holder: 'operator', request: cqlOptions() },
  { name: 'cassandraInternode', holder: 'cassandra', request: internodeInitiate() },
] as const;

beforeAll(async () => {
  const kept = readPorts(stackLayout(home).ports);
  if (kept === undefined) throw new Error('the stack has no ports');
  ports = kept;
  folder = mkdtempSync(join(tmpdir(), 'wardline-refusals-'));
  foreignHome = openOrCreateHome(join(folder, 'foreign'));
  await mintCertificates(foreignHome, systemClock);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (port: number) => ({ host: '127.0.0.1', port });

type Holder = ServerName | PrincipalName;

function identityOf(of: Home, holder: Holder): Identity {
  const identity = identities(of).find(({ name }) => name === holder);
  if (identity === undefined) throw new Error(`${holder} has no certificate`);
  return identity;
}

function material(of: Home, holder: Holder): { cert: Buffer; key: Buffer } {
  const { certificate, key } = identityOf(of, holder);
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}

function trusting(options: ConnectionOptions = {}): ConnectionOptions {
  return { ca: readFileSync(connection.kafka.ca), ...options };
}

async function expiredMaterial(holder: Holder): Promise<{ cert: Buffer; key: Buffer }> {
  const authority = readAuthority(home);
  const identity = identityOf(home, holder);
  if (authority === undefined) throw new Error('the stack has no certificates');
  const certificate = join(folder, 'expired.crt');
  const key = join(folder, 'expired.key');
  const past = { now: () => Date.now() - 3 * YEAR };
  await renewCertificate({ ...identity, certificate, key, bundle: undefined }, asIssuer(authority), past);
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}

describe.each(TLS_PORTS)('$name', ({ name, holder, request }) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('admits a client with our certificate over %s', async (version) => {
    const options = trusting({ ...material(home, holder), minVersion: version, maxVersion: version });
    const outcome = await tlsOutcome(at(ports[name]), options, request);
    expect(outcome.reason).toBe('stands');
    expect(outcome.answer.length).toBeGreaterThan(0);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('refuses a client without a certificate over %s', async (version) => {
    const outcome = await tlsOutcome(at(ports[name]), trusting({ minVersion: version, maxVersion: version }), request);
    expect(outcome).toMatchObject({ admitted: false });
    expect(outcome.answer.length).toBe(0);
  });

  it('refuses a certificate of another authority', async () => {
    const outcome = await tlsOutcome(at(ports[name]), trusting(material(foreignHome, holder)), request);
    expect(outcome.admitted).toBe(false);
    expect(outcome.answer.length).toBe(0);
  });

  it('refuses an expired certificate', async () => {
    const outcome = await tlsOutcome(at(ports[name]), trusting(await expiredMaterial(holder)), request);
    expect(outcome.admitted).toBe(false);
    expect(outcome.answer.length).toBe(0);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async (version) => {
    // Node's own library must be willing, or the test would prove nothing about the server.
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const outcome = await tlsOutcome(at(ports[name]), trusting({ ...material(home, holder), ...old }), request);
    expect(outcome.admitted).toBe(false);
    expect(outcome.reason).toMatch(/alert|closed by the server|disconnected/i);
  });

  it('refuses plaintext', async () => {
    const outcome = await plainOutcome(at(ports[name]), request);
    expect(outcome.admitted).toBe(false);
    expect(outcome.answer.includes('SUPPORTED') || outcome.answer.length > 64).toBe(false);
  });

  it('is not the server that a client of another authority trusts', async () => {
    const ca = readFileSync(join(foreignHome.paths.authority, 'trust.crt'));
    const outcome = await tlsOutcome(at(ports[name]), { ca, ...material(home, holder) }, request);
    expect(outcome.admitted).toBe(false);
    expect(outcome.reason).toMatch(/self-signed|unable to (verify|get)|signature/i);
  });
});

describe('cassandraInternode', () => {
  // The one port without roles behind it: any of these would otherwise read and write every table.
  it.each([...PRINCIPAL_NAMES, 'kafka' as const])('refuses the certificate of %s', async (holder) => {
    const outcome = await tlsOutcome(
      at(ports.cassandraInternode),
      trusting(material(home, holder)),
      internodeInitiate(),
    );
    expect(outcome).toMatchObject({ admitted: false, reason: 'closed by the server' });
    expect(outcome.answer.length).toBe(0);
  });
});

describe('logins', () => {
  it.each(['kafkaClient', 'kafkaBroker', 'kafkaController'] as const)(
    '%s answers nothing without SASL',
    async (name) => {
      const outcome = await tlsOutcome(at(ports[name]), trusting(material(home, 'operator')), kafkaMetadata());
      expect(outcome).toMatchObject({ admitted: false, reason: 'closed by the server' });
      expect(outcome.answer.length).toBe(0);
    },
  );

  it('Kafka refuses a wrong password', async () => {
    const admin = kafkaClient(withPassword('operator', 'wrong'), 'operator').admin({ retry: { retries: 0 } });
    await expect(admin.connect().catch((error: unknown) => Promise.reject(asKafkaError(error)))).rejects.toMatchObject({
      code: 'KAFKA_REFUSED',
    });
    await admin.disconnect();
  });

  it('Cassandra refuses a wrong password', async () => {
    await expect(cassandraLogin(withPassword('operator', 'wrong'))).rejects.toMatchObject({
      code: 'CASSANDRA_REFUSED',
    });
  });

  it('Cassandra refuses the default login', async () => {
    await expect(cassandraLogin(withPassword('cassandra', 'cassandra'))).rejects.toMatchObject({
      code: 'CASSANDRA_REFUSED',
    });
  });

  it('the default role is neither a superuser nor able to log in', async () => {
    const client = cassandraClient(connection, 'break-glass');
    const { rows } = await client.execute(
      'SELECT can_login, is_superuser FROM system_auth.roles WHERE role = ?',
      ['cassandra'],
      { prepare: true },
    );
    await client.shutdown();
    expect(rows.map((row) => ({ ...row }))).toEqual([{ can_login: false, is_superuser: false }]);
  });
});

describe('JMX', () => {
  it('answers a login', async () => {
    await expect(nodetool(home, ['info'])).resolves.toContain('Native Transport active: true');
  });

  it.each([
    { how: 'without a login', login: () => [] },
    { how: 'with a wrong password', login: () => ['-u', 'wardline', '-pwf', passwordFile('wardline wrong')] },
    { how: 'as nobody it knows', login: () => ['-u', 'cassandra', '-pwf', passwordFile('cassandra cassandra')] },
  ])('refuses nodetool $how', async ({ login }) => {
    const { cassandra } = stackLayout(home);
    const jars = await provideJars(process.env, () => undefined);
    const options = nodetoolJvmOptions(jars.cassandra, folder, cassandra.nodetoolLogging);
    const address = ['-h', '127.0.0.1', '-p', String(ports.cassandraJmx)];
    await expect(promisify(execFile)('java', [...options, ...address, ...login(), 'info'])).rejects.toMatchObject({
      stderr: expect.stringMatching(/SecurityException: Authentication failed|Invalid username or password/) as string,
    });
  });
});

describe('addresses', () => {
  it('no port is reachable from outside the machine', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .find((entry) => !entry.internal && entry.family === 'IPv4');
    if (outside === undefined) return;
    for (const port of Object.values(ports)) {
      await expect(reach(outside.address, port), `port ${port}`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await expect(reach('127.0.0.1', port)).resolves.toBeUndefined();
    }
  });
});

function passwordFile(content: string): string {
  const path = join(folder, `${content.replaceAll(' ', '-')}.password`);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** The operator's certificate with another name and password. */
function withPassword(username: string, password: string): Connection {
  const access = { ...principalAccess(home, 'operator'), username, passwordFile: passwordFile(password) };
  return { ...connection, principals: { operator: access } };
}

async function cassandraLogin(as: Connection): Promise<void> {
  const client = cassandraClient(as, 'operator');
  try {
    await client.connect();
  } catch (error) {
    throw asCassandraError(error);
  } finally {
    await client.shutdown();
  }
}

function reach(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
