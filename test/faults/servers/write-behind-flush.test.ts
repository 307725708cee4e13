import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventWriter, EVENTS_TABLE, readEvent } from '../../../audit/store/events.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { nodetool } from '../../../stack/index.ts';
import { faultStack, FINE_WINDOWS, type FaultStack } from '../../support/faults/fault-stack.ts';

const PATIENCE = 90_000;
/** No notary writes into it. */
const EPOCH = 1000;

let stack: FaultStack;
let client: Client;

beforeAll(async () => {
  // Nothing else writes meanwhile.
  stack = await faultStack(FINE_WINDOWS, []);
  client = connect();
  await client.execute(
    "CREATE KEYSPACE flushed WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}",
  );
  await client.execute('CREATE TABLE flushed.rows (key int PRIMARY KEY)');
});

afterAll(async () => {
  await client.shutdown();
  await stack.remove();
});

function connect(): Client {
  return cassandraClient(loadConnection(stack.home, loadSettings(stack.home)), 'break-glass');
}

/** Writes directly behind a flush of the table, has the commit log recycled, and kills Cassandra; returns when it serves again. */
async function writtenBehindFlush(table: string, write: (place: number) => Promise<void>): Promise<void> {
  await write(1);
  await nodetool(stack.home, ['flush', ...table.replaceAll('"', '').split('.')]);
  await write(2);
  await client.execute('CREATE TABLE flushed.dropped (key int PRIMARY KEY)');
  await client.execute('DROP TABLE flushed.dropped');
  await client.shutdown();
  await stack.killServer('cassandra');
  for (const deadline = Date.now() + PATIENCE; ;) {
    client = connect();
    try {
      await client.execute('SELECT key FROM system.local');
      return;
    } catch (error) {
      await client.shutdown();
      if (Date.now() > deadline) throw error;
      await sleep(250);
    }
  }
}

describe('a write that is the first behind a flush of its table, and the last before the commit log is recycled', () => {
  it('is lost by this release of Cassandra: where it no longer is, decision 0028 is over', async () => {
    const insert = async (key: number): Promise<void> => {
      await client.execute('INSERT INTO flushed.rows (key) VALUES (?)', [key], { prepare: true });
    };
    await writtenBehindFlush('flushed.rows', insert);
    const { rows } = await client.execute('SELECT key FROM flushed.rows');
    expect(rows.map((row) => row['key'] as number)).toEqual([1]);
  });

  it('is kept where it is an event of the audit log', async () => {
    await writtenBehindFlush(EVENTS_TABLE, (place) =>
      createEventWriter(client, EPOCH).write(place, [Buffer.from(`event ${place}`)]),
    );
    for (const place of [1, 2])
      expect((await readEvent(client, EPOCH, place))?.message?.toString()).toBe(`event ${place}`);
  });
});
