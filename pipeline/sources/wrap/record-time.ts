import type { JsonValue, Raw } from '../../../core/record.ts';
import { isMalformed, type SourceItem } from '../source.ts';

/** How to read and write a record's own time: where a contract has a timestamp in its key. */
export interface RecordTime {
  /** The place of the field among a record's values. */
  readonly sourceField: number;
  /** Milliseconds since the epoch; undefined where the value is no time. */
  read(value: unknown): number | undefined;
  write(milliseconds: number): JsonValue;
}

/** A record's own time in milliseconds since the epoch, where it has a readable one. */
export function timeOf(item: SourceItem, time: RecordTime): number | undefined {
  return isMalformed(item) ? undefined : time.read(item.values[time.sourceField]);
}

export function withTime(record: Raw, time: RecordTime, milliseconds: number): Raw {
  return { ...record, values: record.values.with(time.sourceField, time.write(milliseconds)) };
}
