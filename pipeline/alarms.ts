import type { CompiledContract } from '../governance/contract/compiled.ts';
import type { Clock } from '../core/clock.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import { ATTRIBUTES } from '../telemetry/names.ts';
import type { PartitionBatch } from './consume/consumer.ts';
import type { Row } from '../core/record.ts';

/** Watches what a worker does for what the contract calls an alarm: rules over a window, and latency. */
export interface WorkerWatch {
  /** A batch was taken in. */
  taken(batch: PartitionBatch): void;
  /** Rows of the open window are stored. */
  stored(rows: readonly Row[]): void;
  /** A window ended: judges its rules. */
  windowEnded(): void;
}

export interface WorkerWatchOptions {
  readonly contract: CompiledContract;
  readonly instruments: Instruments;
  readonly clock: Clock;
  /** Told what is alarming, at most once a minute for each rule. */
  readonly onAlarm: (alarm: string) => void;
}

/** How long an alarm that was told is not told again, in milliseconds. */
const ALARM_INTERVAL = 60_000;

export function watchWorker({ contract, instruments, clock, onAlarm }: WorkerWatchOptions): WorkerWatch {
  const told = new Map<string, number>();
  const alarm = (rule: string, text: string): void => {
    if (clock.now() - (told.get(rule) ?? -Infinity) < ALARM_INTERVAL) return;
    told.set(rule, clock.now());
    onAlarm(`${rule}: ${text}`);
  };
  const contractAttribute = { [ATTRIBUTES.contractId]: contract.id };
  const rules = contract.windowRules.map((rule) => ({
    ...rule,
    columns: columnsOf(contract, rule.properties),
    seen: new Map<string, bigint>(),
    duplicates: 0,
  }));
  let rows = 0;
  let slowest = 0;
  return {
    taken({ partition, messages, highWatermark }) {
      const behind = highWatermark - BigInt(messages.at(-1)?.offset ?? 0) - 1n;
      instruments.lag.record(Number(behind), {
        ...contractAttribute,
        [ATTRIBUTES.messagingPartition]: String(partition),
      });
    },
    stored(stored) {
      rows += stored.length;
      const oldest = stored[0];
      if (oldest !== undefined) {
        // Rows of a batch are in the order of their write timestamps, so the first has waited longest.
        const seconds = clock.now() / 1000 - Number(oldest.writeTimestamp) / 1e6;
        instruments.latency.record(Math.max(0, seconds), contractAttribute);
        slowest = Math.max(slowest, seconds);
      }
      for (const rule of rules) {
        if (rule.metric !== 'duplicateValues') continue;
        for (const row of stored) {
          const values = textOf(row, rule.columns);
          const first = rule.seen.get(values);
          if (first === undefined) rule.seen.set(values, row.writeTimestamp);
          // A record that Kafka was sent twice, as after an answer that was lost, has the write timestamp that it had.
          else if (first !== row.writeTimestamp) rule.duplicates += 1;
        }
      }
    },
    windowEnded() {
      if (rows > 0) {
        for (const rule of rules) {
          const count = rule.metric === 'rowCount' ? rows : rule.duplicates;
          if (!rule.holds(count)) alarm(`${rule.metric} ${rule.text}`, `a window has ${count}`);
        }
        const limit = contract.latencySeconds;
        if (limit !== undefined && slowest > limit)
          alarm(
            'latency',
            `a record was stored ${slowest.toFixed(1)} s after it was accepted; the contract allows ${limit} s`,
          );
      }
      rows = 0;
      slowest = 0;
      for (const rule of rules) {
        rule.seen.clear();
        rule.duplicates = 0;
      }
    },
  };
}

/** Columns that a rule counts together; without properties, the whole row. */
function columnsOf(contract: CompiledContract, properties: readonly string[]): readonly number[] {
  const indexes = contract.table.columns.map((column, index) => ({ index, property: column.property }));
  return indexes
    .filter(({ property }) => properties.length === 0 || properties.includes(property))
    .map(({ index }) => index);
}

/** One text for the values of some columns: no two different lists of bound values give the same. */
function textOf(row: Row, columns: readonly number[]): string {
  let text = '';
  for (const index of columns) {
    const value = row.values[index] ?? null;
    if (typeof value === 'string') text += `${value.length}:${value}`;
    else text += Buffer.isBuffer(value) ? `${value.length}:${value.toString('latin1')}` : `;${String(value)};`;
  }
  return text;
}
