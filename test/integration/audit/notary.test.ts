import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { readEvent } from '../../../audit/store/events.ts';
import { topicBounds } from '../../../audit/topic/read-topic.ts';
import { AUDIT_TABLES } from '../../../security/audit-keyspace/tables.ts';
import { asCassandraError, cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, PRINCIPAL_NAMES } from '../../../security/principals/names.ts';
import { stackStatus } from '../../../stack/index.ts';
import { auditLogAs, numberedEvents } from '../../support/audit/events.ts';
import { verified } from '../../support/audit/verified.ts';
import { waitFor } from '../../support/stack-processes.ts';
import { withStack } from '../../support/stack.ts';
import { startWardline, wardlineOn } from '../../support/wardline.ts';

const { home, connection } = withStack();
const client = cassandraClient(connection, 'auditor');
const topic = { kafka: kafkaClient(connection, 'auditor'), principal: 'auditor' } as const;
const TAKEOVER_MILLISECONDS = 10_000;

afterAll(() => client.shutdown());

async function appended(count = 1): Promise<number> {
  const audit = auditLogAs(home, connection, 'operator');
  await audit.appendAll(numberedEvents(count));
  await audit.close();
  return (await topicBounds(topic, AUDIT_TOPIC))?.high ?? 0;
}

/** Milliseconds until all events before `end` are stored. */
async function untilStored(end: number): Promise<number> {
  const began = performance.now();
  while ((await readEvent(client, 1, end - 1)) === undefined) {
    if (performance.now() - began > 6 * TAKEOVER_MILLISECONDS) throw new Error('nobody stores the events');
    await sleep(50);
  }
  return performance.now() - began;
}

const notary = () => stackStatus(home).daemons[0];

describe('the notary', () => {
  it('runs beside the servers, and `status` shows it', async () => {
    expect(notary()).toMatchObject({ running: true, refusal: undefined });
    const { json } = await wardlineOn(home.path, ['status']);
    expect(json['daemons']).toMatchObject([{ name: 'notary', running: true }]);
    await untilStored(await appended());
  });

  it('is replaced within ten seconds after it was killed', async () => {
    await untilStored(await appended());
    const pid = notary()?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    const end = await appended(500);
    expect(await untilStored(end)).toBeLessThan(TAKEOVER_MILLISECONDS);
    await waitFor(() => notary()?.running === true);
    expect(notary()?.pid).not.toBe(pid);
  });

  it('does no harm when there are two of it, and either takes over from the other', async () => {
    const second = startWardline(['notary', '--home', home.path, '--json']);
    try {
      for (let round = 0; round < 10; round += 1) {
        await untilStored(await appended(200));
        await sleep(200);
      }
      process.kill(notary()?.pid ?? 0, 'SIGKILL');
      expect(await untilStored(await appended(200))).toBeLessThan(TAKEOVER_MILLISECONDS);
    } finally {
      second.stop();
    }
    const { code, stderr } = await second.outcome;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('AUDIT_')]);
    await untilStored(await appended());
    expect(await verified(home.path)).toMatchObject({ findings: [] });
  });
});

const BATCHED = "INSERT INTO audit.epochs (install, epoch) VALUES ('other', 1);";

/** What the operator can make: it may make tables in every keyspace, and Cassandra knows no exception to a right. */
const OF_ITS_OWN = ['CREATE TABLE audit.mine (id text PRIMARY KEY)', 'CREATE TYPE audit.my_type (value text)'];

describe('the audit keyspace', () => {
  it.each(PRINCIPAL_NAMES.filter((name) => name !== 'break-glass' && name !== 'notary'))(
    '%s can write nothing in it, in no way',
    async (name) => {
      const writes = Object.values(AUDIT_TABLES).flatMap((table) => [
        `TRUNCATE audit.${table}`,
        `DROP TABLE audit.${table}`,
        `ALTER TABLE audit.${table} WITH comment = 'mine'`,
      ]);
      const place = 'epoch = 1 AND block = 0 AND sequence = 0';
      const all = [
        'INSERT INTO audit.events (epoch, block, sequence) VALUES (9, 9, 9)',
        `UPDATE audit.events SET message = 0x00 WHERE ${place}`,
        `DELETE FROM audit.events WHERE ${place}`,
        'INSERT INTO audit.summaries (epoch, block, first) VALUES (9, 9, 9)',
        "INSERT INTO audit.epochs (install, epoch) VALUES ('other', 1)",
        "INSERT INTO audit.checkpoints (epoch, block, size, note) VALUES (9, 9, 9, '')",
        'INSERT INTO audit.tiles (epoch, level, part, tile) VALUES (9, 9, 9, 9)',
        ...['', 'UNLOGGED '].map((kind) => `BEGIN ${kind}BATCH ${BATCHED} APPLY BATCH`),
        `INSERT INTO audit.events (epoch, block, sequence) VALUES (9, 9, 9) IF NOT EXISTS`,
        `DELETE FROM audit.events USING TIMESTAMP 1 WHERE epoch = 1 AND block = 0`,
        'CREATE INDEX ON audit.events (actor)',
        "CREATE FUNCTION audit.mine (value int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return value;'",
        'CREATE MATERIALIZED VIEW audit.mine AS SELECT * FROM audit.epochs WHERE install IS NOT NULL AND epoch IS NOT NULL PRIMARY KEY (epoch, install)',
        'DROP KEYSPACE audit',
        'ALTER KEYSPACE audit WITH durable_writes = false',
        ...(name === 'operator' ? [] : OF_ITS_OWN),
        ...writes,
      ];
      const own = cassandraClient(connection, name);
      try {
        for (const cql of all) {
          const outcome = await own.execute(cql).then(
            () => 'done',
            (error: unknown) => asCassandraError(error).code,
          );
          expect([cql, outcome]).toEqual([cql, 'CASSANDRA_REFUSED']);
        }
      } finally {
        await own.shutdown();
      }
    },
  );

  it('may hold a table or a type of the operator’s own, which are no part of the log and which break-glass removes', async () => {
    const [operator, breakGlass] = [
      cassandraClient(connection, 'operator'),
      cassandraClient(connection, 'break-glass'),
    ];
    try {
      for (const cql of OF_ITS_OWN) await operator.execute(cql);
      expect(await verified(home.path)).toMatchObject({ findings: [] });
    } finally {
      for (const what of ['TABLE IF EXISTS audit.mine', 'TYPE IF EXISTS audit.my_type'])
        await breakGlass.execute(`DROP ${what}`);
      await Promise.all([operator.shutdown(), breakGlass.shutdown()]);
    }
  });
});
