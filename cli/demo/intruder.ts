import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Connection } from '../../core/connection.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';

const STOLEN = 'operator';
const PATIENCE_MILLISECONDS = 5000;

/** What somebody tried who has no business there, and what became of it. */
export interface Attempt {
  readonly tried: string;
  readonly answer: string;
}

/** Tries to get in as somebody would who has the operator's certificate and not its password, or no certificate at all. */
export async function tryToGetIn(connection: Connection, folder: string): Promise<readonly Attempt[]> {
  const passwordFile = join(folder, 'guessed-password');
  writeFileSync(passwordFile, 'guessed', { mode: 0o600 });
  const operator = connection.principals[STOLEN];
  const thief: Connection = {
    ...connection,
    principals: { ...connection.principals, ...(operator && { [STOLEN]: { ...operator, passwordFile } }) },
  };
  return [
    { tried: 'Kafka without a certificate', answer: await withoutCertificate(connection) },
    { tried: `Kafka as ${STOLEN}, with a wrong password`, answer: await atKafka(thief) },
    { tried: `Cassandra as ${STOLEN}, with a wrong password`, answer: await atCassandra(thief) },
  ];
}

async function atKafka(connection: Connection): Promise<string> {
  const admin = kafkaClient(connection, STOLEN).admin();
  try {
    await admin.connect();
    return 'let in';
  } catch (error) {
    return asKafkaError(error).code;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function atCassandra(connection: Connection): Promise<string> {
  const client = cassandraClient(connection, STOLEN);
  try {
    await client.connect();
    return 'let in';
  } catch (error) {
    return asCassandraError(error).code;
  } finally {
    await client.shutdown();
  }
}

/** With TLS 1.3 the server's refusal comes after the handshake, once one reads. */
function withoutCertificate({ kafka }: Connection): Promise<string> {
  const [host = '', port = ''] = (kafka.brokers[0] ?? '').split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), ca: readFileSync(kafka.ca), timeout: PATIENCE_MILLISECONDS });
    const end = (answer: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('error', ({ code = '', message }: NodeJS.ErrnoException) =>
      end(code.startsWith('ERR_SSL') ? 'refused in the TLS handshake' : message),
    );
    socket.once('timeout', () => end('no answer')).once('data', () => end('let in'));
    socket.once('end', () => end('connection closed'));
  });
}
