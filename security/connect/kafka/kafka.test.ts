import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import type { Connection } from '../../../core/connection.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../../test/support/temporary-home.ts';
import { connectionTo, serverFiles, startTlsServer, type TlsServer } from '../../../test/support/tls-server.ts';
import { authorityPaths, nameServers } from '../../certs/identities.ts';
import { mintCertificates } from '../../certs/mint.ts';
import { rotateCertificates } from '../../certs/rotate.ts';
import { asKafkaError, kafkaClient, type KafkaLog } from './kafka.ts';

let ours: TemporaryHome;
let others: TemporaryHome;
const servers: TlsServer[] = [];

beforeAll(async () => {
  [ours, others] = [temporaryHome(), temporaryHome()];
  await mintCertificates(ours.home, systemClock);
  nameServers(others.home, { kafka: ['elsewhere.internal'], cassandra: ['elsewhere.internal'] });
  await mintCertificates(others.home, systemClock);
}, MINT_TIMEOUT);
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => [ours, others].forEach((each) => each.remove()));

async function server(home = ours.home): Promise<TlsServer> {
  const started = await startTlsServer(serverFiles(home, 'kafka'));
  servers.push(started);
  return started;
}

async function failure(connection: Connection, log?: KafkaLog): Promise<{ code: string; message: string }> {
  const admin = kafkaClient(connection, 'worker', log === undefined ? {} : { log }).admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    return { code: 'connected', message: '' };
  } catch (error) {
    return asKafkaError(error);
  } finally {
    await admin.disconnect();
  }
}

describe('kafkaClient', () => {
  it("shows the principal's certificate to a server of ours", async () => {
    const broker = await server();
    // The server speaks no Kafka: it ends the connection, which is a fault that waiting may mend.
    expect(await failure(connectionTo(ours.home, broker.port))).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    expect(new Set(broker.clients.map((client) => client.subject.CN))).toEqual(new Set(['worker']));
  });

  it('reaches a server by its name too', async () => {
    const broker = await server();
    await failure(connectionTo(ours.home, broker.port, 'localhost'));
    expect(broker.clients.length).toBeGreaterThan(0);
  });

  it('refuses a server of another authority, though that server would let it in', async () => {
    const impostor = await startTlsServer({
      ...serverFiles(others.home, 'kafka'),
      ca: authorityPaths(ours.home).trust,
    });
    servers.push(impostor);
    expect(await failure(connectionTo(ours.home, impostor.port))).toMatchObject({ code: 'KAFKA_REFUSED' });
    expect(impostor.clients).toEqual([]);
  });

  it('refuses a server of ours under a name that its certificate does not hold', async () => {
    const broker = await server(others.home);
    const refusal = await failure(connectionTo(others.home, broker.port));
    expect(refusal.code).toBe('KAFKA_REFUSED');
    expect(refusal.message).toContain('does not match certificate');
    expect(broker.clients).toEqual([]);
  });

  it('is refused by a server of another home', async () => {
    const broker = await startTlsServer({ ...serverFiles(ours.home, 'kafka'), ca: authorityPaths(others.home).trust });
    servers.push(broker);
    // A server on Node gives no reason when it hangs up, so this cannot be told from a broken connection.
    expect(await failure(connectionTo(ours.home, broker.port))).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    expect(broker.clients).toEqual([]);
  });

  it('says that nobody listens', async () => {
    const broker = await startTlsServer(serverFiles(ours.home, 'kafka'));
    await broker.close();
    expect(await failure(connectionTo(ours.home, broker.port))).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
  });

  it('uses a rotated certificate for the next connection, without a new client', async () => {
    const home = temporaryHome(ours.home);
    const broker = await server();
    const client = kafkaClient(connectionTo(home.home, broker.port), 'worker');
    const connect = async (): Promise<void> => {
      const admin = client.admin({ retry: { retries: 0 } });
      await admin.connect().catch(() => undefined);
      await admin.disconnect();
    };
    await connect();
    await rotateCertificates(home.home, systemClock, { names: ['worker'] });
    await connect();
    expect(new Set(broker.clients.map((each) => each.serialNumber)).size).toBe(2);
    home.remove();
  });

  it('hands what kafkajs would print to the given log', async () => {
    const told: string[] = [];
    const broker = await server(others.home);
    await failure(connectionTo(others.home, broker.port), (level, message) => told.push(`${level} ${message}`));
    expect(told.some((line) => line.startsWith('error ') && line.includes('does not match certificate'))).toBe(true);
  });

  it.each(['passwordFile', 'certificate', 'key'] as const)('says at once that the %s is missing', (file) => {
    const home = temporaryHome(ours.home);
    const connection = connectionTo(home.home, 1);
    rmSync(connection.principals['worker']?.[file] ?? '');
    expect(() => kafkaClient(connection, 'worker')).toThrow(
      expect.objectContaining({ code: 'CREDENTIAL_MISSING' }) as Error,
    );
    home.remove();
  });

  it('says at once that a key is damaged, without repeating it', () => {
    const home = temporaryHome(ours.home);
    const connection = connectionTo(home.home, 1);
    writeFileSync(connection.principals['worker']?.key ?? '', 'planted-secret');
    expect(() => kafkaClient(connection, 'worker')).toThrow(
      expect.objectContaining({
        code: 'CERTIFICATE_INVALID',
        message: expect.not.stringContaining('planted-secret') as string,
      }) as Error,
    );
    home.remove();
  });

  it('says that a connection lacks the principal', () => {
    const connection = { ...connectionTo(ours.home, 1), principals: {} };
    expect(() => kafkaClient(connection, 'worker')).toThrow(/no principal worker/);
  });
});
