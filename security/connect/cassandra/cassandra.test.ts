import { rmSync, writeFileSync } from 'node:fs';
import { types, type auth } from 'cassandra-driver';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import type { Connection } from '../../../core/connection.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../../test/support/temporary-home.ts';
import { connectionTo, serverFiles, startTlsServer, type TlsServer } from '../../../test/support/tls-server.ts';
import { authorityPaths, nameServers, principalAccess } from '../../certs/identities.ts';
import { mintCertificates } from '../../certs/mint.ts';
import { rotateCertificates } from '../../certs/rotate.ts';
import { asCassandraError, cassandraClient } from './cassandra.ts';
import { FilePasswordProvider } from '../file-password.ts';

/** The driver notices only by this that a server hung up during its login. */
const READ_TIMEOUT = 300;

let ours: TemporaryHome;
let named: TemporaryHome;
const servers: TlsServer[] = [];

beforeAll(async () => {
  [ours, named] = [temporaryHome(), temporaryHome()];
  await mintCertificates(ours.home, systemClock);
  nameServers(named.home, { kafka: ['localhost'], cassandra: ['localhost'] });
  await mintCertificates(named.home, systemClock);
}, MINT_TIMEOUT);
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => [ours, named].forEach((each) => each.remove()));

async function server(files: Parameters<typeof startTlsServer>[0]): Promise<TlsServer> {
  const started = await startTlsServer(files);
  servers.push(started);
  return started;
}

async function failure(connection: Connection): Promise<{ code: string; message: string }> {
  const client = cassandraClient(connection, 'reader', { readTimeout: READ_TIMEOUT });
  try {
    await client.connect();
    return { code: 'connected', message: '' };
  } catch (error) {
    return asCassandraError(error);
  } finally {
    await client.shutdown();
  }
}

describe('cassandraClient', () => {
  it("shows the principal's certificate to a server of ours, found by its address", async () => {
    const node = await server(serverFiles(ours.home, 'cassandra'));
    expect(await failure(connectionTo(ours.home, node.port))).toMatchObject({ code: 'CASSANDRA_UNREACHABLE' });
    expect(node.clients[0]?.subject.CN).toBe('reader');
  });

  it('refuses a server of another authority', async () => {
    const node = await server({ ...serverFiles(named.home, 'cassandra'), ca: authorityPaths(ours.home).trust });
    expect(await failure(connectionTo(ours.home, node.port))).toMatchObject({ code: 'CASSANDRA_REFUSED' });
    expect(node.clients).toEqual([]);
  });

  it('is refused by a server of another home', async () => {
    const node = await server({ ...serverFiles(ours.home, 'cassandra'), ca: authorityPaths(named.home).trust });
    // A server on Node gives no reason when it hangs up, so this cannot be told from a broken connection.
    expect(await failure(connectionTo(ours.home, node.port))).toMatchObject({ code: 'CASSANDRA_UNREACHABLE' });
    expect(node.clients).toEqual([]);
  });

  it('accepts a certificate that holds only the name of a contact point, which the driver reaches by its address', async () => {
    const node = await server(serverFiles(named.home, 'cassandra'));
    await failure(connectionTo(named.home, node.port, 'localhost'));
    expect(node.clients.length).toBeGreaterThan(0);
  });

  it('refuses a certificate that holds neither the address nor a name from the connection', async () => {
    const node = await server(serverFiles(named.home, 'cassandra'));
    expect(await failure(connectionTo(named.home, node.port))).toMatchObject({ code: 'CASSANDRA_REFUSED' });
    expect(node.clients).toEqual([]);
  });

  it('uses a rotated certificate for the next connection, without a new client', async () => {
    const home = temporaryHome(ours.home);
    const node = await server(serverFiles(ours.home, 'cassandra'));
    const client = cassandraClient(connectionTo(home.home, node.port), 'reader', { readTimeout: READ_TIMEOUT });
    await client.connect().catch(() => undefined);
    await rotateCertificates(home.home, systemClock, { names: ['reader'] });
    await client.connect().catch(() => undefined);
    await client.shutdown();
    expect(new Set(node.clients.map((each) => each.serialNumber)).size).toBe(2);
    home.remove();
  });

  it('asks at LOCAL_QUORUM, and verifies servers, unless told otherwise', () => {
    const { options } = cassandraClient(connectionTo(ours.home, 1), 'reader') as unknown as {
      options: { queryOptions: { consistency: number }; sslOptions: { rejectUnauthorized: boolean } };
    };
    expect(options.queryOptions.consistency).toBe(types.consistencies.localQuorum);
    expect(options.sslOptions.rejectUnauthorized).toBe(true);
  });

  it('says at once that a credential is missing', () => {
    const home = temporaryHome(ours.home);
    rmSync(principalAccess(home.home, 'reader').passwordFile);
    expect(() => cassandraClient(connectionTo(home.home, 1), 'reader')).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_MISSING' }) as Error,
    );
    home.remove();
  });
});

describe('FilePasswordProvider', () => {
  const token = (authenticator: auth.Authenticator): Promise<string> =>
    new Promise((resolve, reject) => {
      authenticator.initialResponse((error: unknown, answer?: Buffer) => {
        if (error instanceof Error) reject(error);
        else resolve(answer?.toString() ?? '');
      });
    });

  it('logs in with the password as the file holds it now (RFC 4616)', async () => {
    const home = temporaryHome(ours.home);
    const access = principalAccess(home.home, 'reader');
    const provider = new FilePasswordProvider(access);
    writeFileSync(access.passwordFile, 'changed\n');
    expect(await token(provider.newAuthenticator())).toBe('\0reader\0changed');
    rmSync(access.passwordFile);
    await expect(token(provider.newAuthenticator())).rejects.toMatchObject({ code: 'CREDENTIAL_MISSING' });
    home.remove();
  });
});
