import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { finishRotation, rotateCertificates } from '../../security/certs/rotate.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { watchMaterial } from '../../security/connect/material/watch.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { reloadCertificates } from '../../stack/index.ts';
import { stackLayout } from '../../stack/layout.ts';
import { readPorts } from '../../stack/ports.ts';
import { cqlOptions, kafkaApiVersions, tlsOutcome } from '../../cli/doctor/probe/sockets.ts';
import { withStack } from '../support/stack.ts';

const { home, connection } = withStack();

const clientMaterial = (): ConnectionOptions => {
  const { certificate, key } = principalAccess(home, 'operator');
  return { cert: readFileSync(certificate), key: readFileSync(key) };
};

describe('a new authority', () => {
  it('takes over with old and new side by side and no client made anew', async () => {
    const ports = readPorts(stackLayout(home).ports);
    if (ports === undefined) throw new Error('the stack has no ports');
    const servers = [
      { port: ports.kafkaClient, request: kafkaApiVersions() },
      { port: ports.cassandraClient, request: cqlOptions() },
    ];
    const answered = async (options: ConnectionOptions): Promise<boolean[]> => {
      const ca = readFileSync(connection.kafka.ca);
      const outcomes = await Promise.all(
        servers.map(({ port, request }) => tlsOutcome({ host: '127.0.0.1', port }, { ca, ...options }, request)),
      );
      return outcomes.map(({ answer }) => answer.length > 0);
    };
    const former = clientMaterial();
    const cassandra = cassandraClient(connection, 'operator');
    const producer = kafkaClient(connection, 'operator', { patience: 'service' }).producer();
    const use = async (): Promise<void> => {
      await cassandra.execute('SELECT release_version FROM system.local');
      await producer.send({ topic: AUDIT_TOPIC, acks: -1, messages: [{ value: '{}' }] });
    };
    await cassandra.connect();
    await producer.connect();
    await use();
    let changes = 0;
    const watch = watchMaterial([principalAccess(home, 'operator').certificate], () => (changes += 1), 200);

    await rotateCertificates(home, systemClock, { authority: true, afterTrust: () => reloadCertificates(home) });
    expect(await answered(former)).toEqual([true, true]);
    expect(await answered(clientMaterial())).toEqual([true, true]);
    await use();
    await reloadCertificates(home);
    await finishRotation(home, systemClock);
    await reloadCertificates(home);

    // Only the new authority's server certificates are accepted by `ca` now, and only its clients by the servers.
    expect(await answered(clientMaterial())).toEqual([true, true]);
    expect(await answered(former)).toEqual([false, false]);
    await use();
    expect(changes).toBeGreaterThan(0);
    watch.close();
    await producer.disconnect();
    await cassandra.shutdown();
  });
});
