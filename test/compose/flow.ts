import { setTimeout as sleep } from 'node:timers/promises';
import type { Compose } from './docker.ts';

const PATIENCE = 120_000;

/** How many rows workers say they stored, since ever. */
export async function storedRows(compose: Compose): Promise<number> {
  const events = await compose.json('audit', 'query', '--action', 'stage.store', '--limit', '100000');
  return events.reduce((sum, each) => {
    const { counts } = each['event'] as { counts?: { rows?: number; records?: number } };
    return sum + (counts?.rows ?? counts?.records ?? 0);
  }, 0);
}

/** How many they are, once they are more than so many. */
export async function moreThan(compose: Compose, rows: number): Promise<number> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const now = await storedRows(compose);
    if (now > rows) return now;
    if (Date.now() > deadline) throw new Error(`still ${now} rows`);
    await sleep(1000);
  }
}

/** Runs a program with what the product is built of, where commands are run; returns what it printed. */
export function program(compose: Compose, body: string): Promise<string> {
  const text = `
    import { openHome } from '/app/dist/core/home.js';
    import { loadConnection, loadSettings } from '/app/dist/core/configuration.js';
    import { cassandraClient } from '/app/dist/security/connect/cassandra/cassandra.js';
    import { kafkaClient } from '/app/dist/security/connect/kafka/kafka.js';
    const home = openHome('/wardline');
    const connection = loadConnection(home, loadSettings(home));
    const client = cassandraClient(connection, 'break-glass', { readTimeout: 60_000 });
    const admin = kafkaClient(connection, 'break-glass', { clientId: 'test' }).admin();
    ${body}
    await client.shutdown();
  `;
  return compose.must('exec', '-T', 'console', 'node', '--input-type=module', '--eval', text);
}

/** How many rows a table has; where there are several nodes, each of its rows is on two of them at least. */
export async function rowsThere(compose: Compose, table: string): Promise<number> {
  const count = `SELECT COUNT(*) FROM ${table}`;
  return Number(await program(compose, `console.log(String((await client.execute('${count}')).rows[0]?.count));`));
}
