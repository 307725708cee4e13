import { join } from 'node:path';
import { metrics } from '@opentelemetry/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { asRow, type Row } from '../core/record.ts';
import { SHIPPED_CONTRACTS } from '../governance/contract/find.ts';
import { loadContract } from '../governance/contract/load.ts';
import { createInstruments } from '../telemetry/instruments.ts';
import { watchWorker, type WorkerWatch } from './alarms.ts';

const MINUTE = 60_000;
const contract = loadContract(join(SHIPPED_CONTRACTS, 'smart-home.odcs.yaml'));
let now: number;
let alarms: string[];
let watch: WorkerWatch;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  alarms = [];
  watch = watchWorker({
    contract,
    instruments: createInstruments(metrics.getMeter('test')),
    clock: { now: () => now },
    onAlarm: (alarm) => alarms.push(alarm),
  });
});

/** A row of a home, accepted at a time in milliseconds since the epoch. */
function row(home: string, accepted: number): Row {
  return asRow({
    values: contract.table.columns.map(({ property }) => (property === 'home_id' ? home : null)),
    partitionKey: home,
    writeTimestamp: BigInt(accepted) * 1000n,
    offset: 0n,
  });
}

describe('a window', () => {
  it('with one key twice is an alarm', () => {
    watch.stored([row('a', now), row('b', now)]);
    watch.stored([row('a', now + 1)]);
    watch.windowEnded();
    expect(alarms).toEqual(['duplicateValues must be 0: a window has 1']);
  });

  it('with a record that Kafka was sent twice is none', () => {
    watch.stored([row('a', now)]);
    watch.stored([row('a', now)]);
    watch.windowEnded();
    expect(alarms).toEqual([]);
  });

  it('is judged by itself', () => {
    for (const accepted of [now, now + 1]) {
      watch.stored([row('a', accepted)]);
      watch.windowEnded();
    }
    expect(alarms).toEqual([]);
  });

  it('that was stored later than the contract allows is an alarm', () => {
    watch.stored([row('a', now - 7000), row('b', now)]);
    watch.windowEnded();
    expect(alarms).toEqual(['latency: a record was stored 7.0 s after it was accepted; the contract allows 5 s']);
  });
});

describe('an alarm', () => {
  const late = (): void => {
    watch.stored([row('a', now - 7000)]);
    watch.windowEnded();
  };

  it('is told once a minute', () => {
    late();
    now += MINUTE - 1;
    late();
    expect(alarms).toHaveLength(1);
    now += 1;
    late();
    expect(alarms).toHaveLength(2);
  });
});
