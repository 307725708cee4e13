import type { InferredColumn } from './infer.ts';

const ID_NAME = /(?:^|_)(?:id|uuid|key|code|number|no)$/;

/** What a record's key is proposed to be. */
export interface ProposedKey {
  /** The column that says what or whom a record is about: partition key. */
  readonly subject: InferredColumn | undefined;
  /** The column that orders records: clustering key. */
  readonly time: InferredColumn | undefined;
  /** Name of the derived day that keeps partitions small; set where there is a time. */
  readonly day: string | undefined;
}

/**
 * Chooses a key: the first column of times that has no gaps, and a column that looks like an identifier. Without a time, a
 * column whose values do not repeat. All parts may be absent; then the proposal is not complete.
 */
export function chooseKey(columns: readonly InferredColumn[]): ProposedKey {
  const complete = columns.filter((column) => column.complete);
  const time = complete.find((column) => column.type === 'timestamp');
  const identifiers = complete.filter(
    (column) => ID_NAME.test(column.name) && ['text', 'bigint'].includes(column.type),
  );
  if (time === undefined) {
    const distinct = (column: InferredColumn): boolean => column.distinct;
    return { subject: identifiers.find(distinct) ?? complete.find(distinct), time, day: undefined };
  }
  const names = new Set(columns.map((column) => column.name));
  const day = ['day', 'event_day', 'record_day', 'partition_day'].find((name) => !names.has(name));
  // What repeats is about something; what never does is the reading's own number, and no partition.
  return { subject: identifiers.find((column) => !column.distinct), time, day };
}
