import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../../core/connection.ts';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { asCassandraError, cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { asKafkaError, kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import type { PrincipalName } from '../../../security/principals/names.ts';
import { failed, held, triedPrincipals, type Check, type CheckGroup, type Patient, type Result } from '../check.ts';

/** Logins that a server may come with. */
const DEFAULTS = { kafka: ['admin', 'admin-secret'], cassandra: ['cassandra', 'cassandra'] } as const;

/** Who may log in with which password. */
export const loginChecks: CheckGroup = (patient) => {
  const { connection } = patient;
  const kafka = (as: Connection) => kafkaLogin(as);
  const cassandra = (as: Connection) => cassandraLogin(as);
  const servers = [
    { name: 'kafka', title: 'Kafka', login: kafka, defaults: DEFAULTS.kafka },
    { name: 'cassandra', title: 'Cassandra', login: cassandra, defaults: DEFAULTS.cassandra },
  ] as const;
  const checks = servers.flatMap(({ name, title, login, defaults }): Check[] => [
    {
      id: `${name}-login/every-principal`,
      title: `${title}: every principal of this home but break-glass logs in`,
      remedy:
        'bring passwords and certificates of this home in line with the servers: wardline certs verify, wardline up',
      attempt: async () => {
        const here = triedPrincipals(patient);
        for (const principal of here) await login(actingAs(connection, principal));
        return held(`${here.length} principals`);
      },
    },
    {
      id: `${name}-login/wrong-password`,
      title: `${title}: a wrong password is refused`,
      remedy: `have ${title} check passwords: SCRAM-SHA-512 in Kafka, PasswordAuthenticator in Cassandra`,
      attempt: () => refusedLogin(login, withPassword(patient, accessOf(connection, 'operator').username, 'wrong')),
    },
    {
      id: `${name}-login/default`,
      title: `${title}: the default login ${defaults[0]} is refused`,
      remedy: `take the login ${defaults[0]} away, or its right to log in`,
      attempt: () => refusedLogin(login, withPassword(patient, defaults[0], defaults[1])),
    },
  ]);
  return Promise.resolve(checks);
};

/** The connection in which the operator's place is taken by another principal. */
function actingAs(connection: Connection, principal: PrincipalName): Connection {
  return { ...connection, principals: { operator: accessOf(connection, principal) } };
}

/** The operator's certificate with another name and password. */
function withPassword({ connection, folder }: Patient, username: string, password: string): Connection {
  const passwordFile = join(folder, `${username}-${password}.password`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  return {
    ...connection,
    principals: { operator: { ...accessOf(connection, 'operator'), username, passwordFile } },
  };
}

async function refusedLogin(login: (as: Connection) => Promise<void>, as: Connection): Promise<Result> {
  try {
    await login(as);
  } catch (error) {
    const { code, message } = asWardlineError(error);
    // That nobody answers is no refusal.
    return code.endsWith('_REFUSED') ? held(message) : failed(message);
  }
  return failed(`${as.principals['operator']?.username ?? ''} was let in`);
}

async function kafkaLogin(as: Connection): Promise<void> {
  const admin = kafkaClient(as, 'operator').admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    await admin.describeCluster();
  } catch (error) {
    const trouble = asKafkaError(error);
    // A principal that may not describe the cluster has been let in.
    if (!/authoriz/i.test(trouble.message)) throw trouble;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function cassandraLogin(as: Connection): Promise<void> {
  const client = cassandraClient(as, 'operator', { connectionsPerHost: 1 });
  try {
    await client.connect();
  } catch (error) {
    throw asCassandraError(error);
  } finally {
    await client.shutdown();
  }
}
