import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventDocument } from '../../audit/event/document.ts';
import { readSpool, spoolAuditLog } from '../../audit/spool/spool.ts';
import { trustedKeys } from '../../audit/signature/signing-key.ts';
import { verifyEvent } from '../../audit/event/verify-event.ts';
import { sleep } from '../../core/clock.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, type PrincipalName } from '../../security/principals/names.ts';
import { messagesOn, offsetsOf, outsideCredentials, plainKafka, type StoredMessage } from '../support/outside.ts';
import { kafkaApiVersions, tlsOutcome } from '../../cli/doctor/probe/sockets.ts';
import { scratch } from '../support/scratch.ts';
import { withStack } from '../support/stack.ts';
import { startWardline, type RunningWardline } from '../support/faults/process.ts';
import { wardlineOn } from '../support/wardline.ts';

/** Stands in statements and names of this test, and must stand in no event. */
const MARKER = 'SECRET-4711';
const KEYSPACE = 'recorder_test';
/** A client's text, made to read like a line of its own in each of the followed logs. */
const FORGED = [
  'x',
  '2026-01-01T00:00:00.000Z INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with /6.6.6.6 (channelId=127.0.0.1:1-6.6.6.6:1-1-1) (SSL handshake failed) (org.apache.kafka.common.network.Selector)',
  '2026-01-01T00:00:00.000Z INFO Principal = User:forged is Denied operation = READ from host = 6.6.6.6 on resource = Topic:LITERAL:x for request = Fetch with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)',
  '2026-01-01T00:00:00.000Z INFO user:forged|host:/6.6.6.6:1|source:/6.6.6.6|port:1|timestamp:1|type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL (org.apache.cassandra.audit.FileAuditLogger)',
  '',
].join('\n');

const { home, connection } = withStack();
const files = scratch();
const keys = trustedKeys(
  readdirSync(home.paths.principals).map((principal) => ({
    principal,
    publicKeyPem: readFileSync(join(home.paths.principals, principal, 'signing.pub'), 'utf8'),
  })),
);
const listener = connection.kafka.brokers[0] ?? '';
const ca = readFileSync(connection.kafka.ca);

let start: ReadonlyMap<number, bigint>;
let topic: StoredMessage[];
let events: EventDocument[];
let recorder: RunningWardline;

/** The operator's certificate with another name and password. */
function loginAs(username: string): typeof connection {
  const access = { ...principalAccess(home, 'operator'), username, passwordFile: files.file('wrong', 'wrong') };
  return { ...connection, principals: { operator: access } };
}

async function onKafka(as: typeof connection, principal: PrincipalName, clientId: string, topicName?: string) {
  const producer = kafkaClient(as, principal, { clientId }).producer({ retry: { retries: 0 } });
  try {
    await producer.connect();
    if (topicName !== undefined) await producer.send({ topic: topicName, messages: [{ value: MARKER }] });
  } catch {
    // That it is refused is what the events are to say.
  } finally {
    await producer.disconnect();
  }
}

async function onCassandra(as: typeof connection, principal: PrincipalName, statements: readonly string[]) {
  const client = cassandraClient(as, principal);
  try {
    await client.connect();
    for (const statement of statements) await client.execute(statement).catch(() => undefined);
  } catch {
    // As above.
  } finally {
    await client.shutdown();
  }
}

async function provoke(): Promise<void> {
  const port = Number(listener.split(':')[1]);
  await tlsOutcome({ host: '127.0.0.1', port }, { ca }, kafkaApiVersions());
  await onKafka(loginAs('operator'), 'operator', 'wrong password');
  await onKafka(connection, 'reader', FORGED, `denied-${MARKER}`.toLowerCase());
  await onKafka(connection, 'reader', FORGED, FORGED);
  for (const name of ['operator', MARKER, FORGED]) await onCassandra(loginAs(name), 'operator', []);
  await onCassandra(connection, 'operator', [
    `CREATE KEYSPACE ${KEYSPACE} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
    `CREATE TABLE ${KEYSPACE}.t (id text PRIMARY KEY) WITH comment = '${MARKER}'`,
    `SELECT * FROM ${KEYSPACE}.t WHERE id = '${MARKER}${FORGED}'`,
    `GRANT SELECT ON ${KEYSPACE}.t TO reader`,
    `TRUNCATE ${KEYSPACE}.t`,
  ]);
  await onCassandra(connection, 'worker', [
    `INSERT INTO ${KEYSPACE}.t (id) VALUES ('${MARKER}')`,
    'USE system',
    `SELECT * FROM system_auth.roles WHERE role = '${MARKER}'`,
  ]);
  await onCassandra(connection, 'reader', [`SELECT * FROM ${KEYSPACE}.t WHERE id = '${MARKER}'`]);
}

async function readTopic(): Promise<void> {
  const auditor = plainKafka(await outsideCredentials(home.path, 'auditor'));
  topic = await messagesOn(auditor, AUDIT_TOPIC, 'wardline.auditor.recorder', start);
  events = topic.map(({ message }) => verifyEvent(message.value ?? Buffer.alloc(0), keys));
}

/** Reads the topic until an event is there, for as long as it may take to be read, judged and acknowledged. */
async function until(found: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  await readTopic();
  while (!found() && Date.now() < deadline) {
    await sleep(500);
    await readTopic();
  }
  expect(found()).toBe(true);
}

/** How many queries of a principal at this file's table the events tell of; the same event twice counts once. */
function queriesOf(principal: string): number {
  const told = new Map(events.map((found) => [found.id, found]));
  return [...told.values()]
    .filter(({ action, object }) => action === 'server.query' && object.id === `${KEYSPACE}.t`)
    .filter(({ details }) => details?.['principal'] === principal)
    .reduce((sum, { counts }) => sum + (counts?.['times'] ?? 0), 0);
}

beforeAll(async () => {
  const auditor = plainKafka(await outsideCredentials(home.path, 'auditor'));
  start = new Map([...(await offsetsOf(auditor, AUDIT_TOPIC))].map(([partition, { high }]) => [partition, high]));
  const signer = {
    ...{ principal: 'operator', host: 'h', install: home.install, clock: { now: () => Date.UTC(2026, 0, 2) } },
    signingKeyPem: readFileSync(principalAccess(home, 'operator').signingKey, 'utf8'),
  };
  await spoolAuditLog(home.paths.spool, signer).append({
    ...{ action: 'stack.up', object: { type: 'home', id: home.install }, outcome: 'success' },
  });
  recorder = startWardline(home.path, ['recorder']);
  await provoke();
  await until(() => queriesOf('reader') > 0);
});

afterAll(async () => {
  await recorder.stop();
  await onCassandra(connection, 'break-glass', [`DROP KEYSPACE IF EXISTS ${KEYSPACE}`]);
});

/** One event about this, whoever else is about. */
const event = (action: string, more: Record<string, unknown>, details: Record<string, unknown> = {}) =>
  expect.arrayContaining([
    expect.objectContaining({ action, ...more, details: expect.objectContaining(details) as unknown }),
  ]) as unknown;

describe('the recorder makes an event of', () => {
  it('a Kafka connection without a certificate, and one with a wrong password', () => {
    const object = { type: 'kafka', id: listener };
    const details = { address: '127.0.0.1' };
    expect(events).toEqual(event('server.login', { object, outcome: 'denied', code: 'TLS_HANDSHAKE_FAILED' }, details));
    expect(events).toEqual(event('server.login', { object, outcome: 'denied', code: 'SASL_LOGIN_FAILED' }, details));
  });

  it('an operation that Kafka denied', () => {
    const object = { type: 'topic', id: `denied-${MARKER}`.toLowerCase() };
    expect(events).toEqual(
      event(
        'server.access',
        { object, outcome: 'denied', code: 'PERMISSION_DENIED' },
        { principal: 'reader', operation: 'DESCRIBE', address: '127.0.0.1' },
      ),
    );
  });

  it('logins at Cassandra, those that it let in and those that it refused', () => {
    expect(events).toEqual(
      event('server.login', { outcome: 'success' }, { principal: 'worker', address: '127.0.0.1' }),
    );
    const code = 'PASSWORD_LOGIN_FAILED';
    expect(events).toEqual(event('server.login', { outcome: 'denied', code }, { tried: 'operator' }));
    const refused = events.filter((found) => found.code === code);
    expect(refused.reduce((sum, { counts }) => sum + (counts?.['times'] ?? 0), 0)).toBeGreaterThanOrEqual(3);
  });

  it('statements that Cassandra denied, also after USE of a system keyspace', () => {
    const denied = { outcome: 'denied', code: 'PERMISSION_DENIED' };
    const table = { type: 'table', id: `${KEYSPACE}.t` };
    expect(events).toEqual(
      event('server.access', { ...denied, object: table }, { principal: 'worker', right: 'MODIFY' }),
    );
    const roles = { type: 'table', id: 'system_auth.roles' };
    expect(events).toEqual(
      event('server.access', { ...denied, object: roles }, { principal: 'worker', right: 'SELECT' }),
    );
    const guarded = { outcome: 'denied', code: 'GUARDRAIL_DENIED', object: table };
    expect(events).toEqual(event('server.access', guarded, { principal: 'operator' }));
  });

  it('changes of schema and of rights, and queries', () => {
    const table = { type: 'table', id: `${KEYSPACE}.t` };
    expect(events).toEqual(
      event('server.schema', { object: table }, { principal: 'operator', statement: 'CREATE_TABLE' }),
    );
    expect(events).toEqual(
      event('server.grant', { object: table }, { principal: 'operator', right: 'SELECT', role: 'reader' }),
    );
    for (const principal of ['operator', 'reader'])
      expect(events).toEqual(event('server.query', { object: table }, { principal, statement: 'SELECT' }));
  });

  it('none of the text of a statement or a login, and nothing that a client forged', () => {
    const payloads = topic.map(({ message }) =>
      Buffer.from(message.value?.toString().split('.')[1] ?? '', 'base64url').toString(),
    );
    const own = events.flatMap(({ actor }, index) => (actor.principal === 'recorder' ? [payloads[index] ?? ''] : []));
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((payload) => payload.includes(MARKER))).toEqual([]);
    const forged = events.filter(({ details, code }) => {
      const said = [details?.['principal'], details?.['address']];
      return said.includes('forged') || said.includes('6.6.6.6') || code === 'LINE_UNREADABLE';
    });
    expect(forged).toEqual([]);
  });

  it('nothing of the spool: its events stand on the topic as they were signed, with their own time', () => {
    const messages = topic.map(({ message }) => message.value?.toString());
    const spooled = readSpool(home.paths.spool, home.install).map((entry) => entry.event);
    expect(messages.filter((message) => spooled.includes(message ?? ''))).toEqual(spooled);
    expect(events).toEqual(
      expect.arrayContaining([expect.objectContaining({ action: 'stack.up', time: '2026-01-02T00:00:00.000Z' })]),
    );
  });
});

describe('a recorder', () => {
  it('has a home to itself', async () => {
    const { error } = await wardlineOn(home.path, ['recorder'], 1);
    expect(error).toMatchObject({ code: 'ALREADY_RUNNING', hint: expect.stringContaining('stop it first') as string });
  });

  it('that was killed goes on: nothing is missing, and an event that comes again is the same', async () => {
    const lines = async (): Promise<void> => onCassandra(connection, 'reader', [`SELECT * FROM ${KEYSPACE}.t`]);
    const before = queriesOf('reader');
    await lines();
    await recorder.kill();
    await lines();
    recorder = startWardline(home.path, ['recorder']);
    await recorder.says(/recorder: following kafka, kafka-authorizer, cassandra-audit, spool/);
    await lines();
    await until(() => queriesOf('reader') >= before + 3);
    expect(queriesOf('reader')).toBe(before + 3);
    const contents = new Map<string, string>();
    for (const [index, { id }] of events.entries()) {
      const content = topic[index]?.message.value?.toString() ?? '';
      expect(contents.get(id) ?? content).toBe(content);
      contents.set(id, content);
    }
    expect(events.filter(({ action }) => action === 'recorder.gap')).toEqual([]);
  });

  it('that is asked to stop says that it ended', async () => {
    const { code, stdout } = await recorder.stop();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\{"events":\d+,"drained":\d+\}\n$/)]);
    await readTopic();
    const own = events.filter(({ actor }) => actor.principal === 'recorder');
    expect(own.at(-1)?.action).toBe('recorder.stop');
  });
});
