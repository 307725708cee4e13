import { sleep } from '../../../core/clock.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { percentile } from '../figure.ts';
import type { SourceAnswer, SourceWork } from '../processes/source.ts';
import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import { UNDELAYED, variantOf, type BenchContract } from '../rig/contracts.ts';
import { RECORD_FIELDS, records } from '../rig/records.ts';
import type { Rig } from '../rig/rig.ts';
import { provision } from '../rig/topic.ts';
import type { Part } from './part.ts';

const PER_SECOND = 1000;
const SECONDS = 120;
/** Not counted: connections are made meanwhile, and the servers' virtual machines compile what this load uses. */
const WARM_UP_SECONDS = 60;
/** One record in so many is looked for: enough to know the tail, few enough not to be the load. */
const SAMPLED_ONE_IN = 47;
/** A row that is not there yet is read again after this time, or after this share of its age, whichever is longer. */
const POLL_MILLISECONDS = 3;
/** Reads that find nothing are load as well, which must not grow with what it measures: so a figure may be too large by this share. */
const POLL_SHARE = 0.1;
const PATIENCE_MILLISECONDS = 60_000;

interface Sample {
  readonly index: number;
  readonly key: readonly unknown[];
}

/** From the moment a source accepted a record to the moment its row can be read, at a steady rate, everything on. */
export const latency: Part = async (rig) => {
  const target = variantOf(rig.folder, UNDELAYED);
  await provision(rig, target);
  const { home } = await rig.servers();
  const count = PER_SECOND * SECONDS;
  const path = await rig.records(count);
  const samples = await samplesOf(count);

  rig.report(`${PER_SECOND} records a second for ${SECONDS} s`);
  const worker = startChild<WorkerAnswer>('worker', { home: home.path, contract: target.path, endless: true });
  await worker.started;
  const work: SourceWork = {
    home: home.path,
    contract: target.path,
    path,
    skip: 0,
    records: count,
    perSecond: PER_SECOND,
  };
  const source = startChild<SourceAnswer>('source', { ...work });
  const [latencies] = await Promise.all([watchRows(rig, target, samples), source.finished]);
  worker.stop();
  await worker.finished;
  const counted = latencies.filter((_, place) => (samples[place]?.index ?? 0) >= WARM_UP_SECONDS * PER_SECOND);
  return {
    measured: true,
    how:
      `${PER_SECOND} records/s for ${SECONDS} s, one in ${SAMPLED_ONE_IN} watched (${counted.length} counted, the first ${WARM_UP_SECONDS} s left out): ` +
      `from the record’s write timestamp, given when the source takes its batch in, to the answer of the first read at LOCAL_QUORUM that finds the row, read again after ${POLL_MILLISECONDS} ms or a tenth of its age`,
    figures: [
      {
        name: 'source accepted → row readable, p50',
        value: percentile(counted, 50),
        unit: 'ms',
        target: { atMost: 30 },
      },
      {
        name: 'source accepted → row readable, p99',
        value: percentile(counted, 99),
        unit: 'ms',
        target: { atMost: 100 },
      },
    ],
    absolutes: [
      { name: 'p90', value: percentile(counted, 90), unit: 'ms' },
      { name: 'longest', value: Math.max(...counted), unit: 'ms' },
    ],
  };
};

async function samplesOf(count: number): Promise<Sample[]> {
  const [home, time] = [RECORD_FIELDS.indexOf('home_id'), RECORD_FIELDS.indexOf('time')];
  const samples: Sample[] = [];
  let index = 0;
  for await (const batch of records(count)) {
    for (const cells of batch) {
      const at = new Date(Number(cells[time]) * 1000);
      if (index % SAMPLED_ONE_IN === 0) samples.push({ index, key: [cells[home], at.toISOString().slice(0, 10), at] });
      index += 1;
    }
  }
  return samples;
}

/** Reads each sampled row again and again from the time it is due until it is there. Returns milliseconds, aligned with `samples`. */
async function watchRows(rig: Rig, { contract }: BenchContract, samples: readonly Sample[]): Promise<number[]> {
  const { connection } = await rig.servers();
  const client = cassandraClient(connection, 'reader');
  const { keyspace, name } = contract.table;
  const query = `SELECT WRITETIME(use_kw) AS written FROM ${keyspace}.${name} WHERE home_id = ? AND day = ? AND ts = ?`;
  const waitFor = async ({ key }: Sample): Promise<{ written: number; readable: number }> => {
    const began = performance.now();
    for (let age = 0; age < PATIENCE_MILLISECONDS; age = performance.now() - began) {
      const row = (await client.execute(query, [...key], { prepare: true })).first() as {
        get(name: string): unknown;
      } | null;
      if (row !== null) return { written: Number(String(row.get('written'))) / 1000, readable: wallClock() };
      await sleep(Math.max(POLL_MILLISECONDS, age * POLL_SHARE));
    }
    throw new Error('a row did not appear');
  };
  try {
    await client.connect();
    const [first, ...rest] = samples;
    if (first === undefined) return [];
    const start = await waitFor(first);
    const latencies = rest.map(async (sample) => {
      await sleep(start.written + (sample.index * 1000) / PER_SECOND - wallClock());
      const { written, readable } = await waitFor(sample);
      return readable - written;
    });
    return [start.readable - start.written, ...(await Promise.all(latencies))];
  } finally {
    await client.shutdown();
  }
}

/** Milliseconds since the epoch, with fractions. */
function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
