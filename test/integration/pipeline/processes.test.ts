import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import {
  offsetsOf,
  outsideCredentials,
  plainCassandra,
  plainKafka,
  type OutsideCredentials,
} from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { readings, smartHomeCsv } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { startWardline, wardlineOn, type RunningWardline, type WardlineOutcome } from '../../support/wardline.ts';

const COUNT = 2000;
const RATE = 200;
const PATIENCE = { timeout: 60_000, interval: 200 };

const home = withStack().home.path;
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'processes');
const path = files.file('readings.csv', smartHomeCsv(readings(COUNT)));
const sourceArguments = [
  ...['source', '--contract', contract.path, '--source', 'csv', '--path', path, '--set', 'home_id=long-running'],
];
const start = (...args: string[]): RunningWardline => startWardline([...args, '--home', home, '--json']);

let archiver: OutsideCredentials;
let reader: Client;

beforeAll(async () => {
  await wardlineOn(home, ['contract', 'apply', contract.path]);
  archiver = await outsideCredentials(home, 'archiver');
  reader = plainCassandra(await outsideCredentials(home, 'reader'));
});

afterAll(() => reader.shutdown());

async function onTopic(): Promise<number> {
  const offsets = await offsetsOf(plainKafka(archiver), contract.topic);
  return [...offsets.values()].reduce((sum, { high, low }) => sum + Number(high - low), 0);
}

async function inTable(): Promise<number> {
  const { rows } = await reader.execute(`SELECT COUNT(*) AS rows_found FROM ${contract.table}`);
  return Number(rows[0]?.['rows_found']);
}

describe('a source that is stopped', () => {
  let first: WardlineOutcome;

  it('finishes what it has read, and says that this was not the end', async () => {
    const source = start(...sourceArguments, '--rate', `${RATE}/s`);
    await expect.poll(onTopic, PATIENCE).toBeGreaterThan(RATE);
    source.stop();
    first = await source.outcome;
    expect(first.code).toBe(0);
    expect(first.json).toMatchObject({ ended: false, dead_letters: 0 });
    expect(first.json['records_read']).toBeLessThan(COUNT);
    expect(await onTopic()).toBe(first.json['records_read']);
  });

  it('goes on where it was, and sends nothing twice', async () => {
    const { json, stderr } = await wardlineOn(home, sourceArguments);
    expect(json).toMatchObject({ ended: true, records_read: COUNT - Number(first.json['records_read']) });
    expect(stderr).toContain(`going on after record ${String(first.json['records_read'])}`);
    expect(await onTopic()).toBe(COUNT);
  });
});

describe('workers', () => {
  it('share a topic, store every record once, and end in good order', async () => {
    const workers = [start('worker', '--contract', contract.path), start('worker', '--contract', contract.path)];
    await expect.poll(inTable, PATIENCE).toBe(COUNT);
    for (const worker of workers) worker.stop();
    const outcomes = await Promise.all(workers.map((worker) => worker.outcome));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    const stored = outcomes.reduce((sum, { json }) => sum + Number(json['rows_stored']), 0);
    expect(stored).toBeGreaterThanOrEqual(COUNT);
    expect(await inTable()).toBe(COUNT);
  });
});
