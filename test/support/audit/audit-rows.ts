import type { Client } from 'cassandra-driver';
import { EVENTS_PER_BLOCK } from '../../../security/audit-keyspace/tables.ts';

/** Rows of the audit keyspace as CQL has them, for whoever has the rights to do damage. */
export interface AuditRows {
  /** A row whole, so that it can be put back. */
  read(sequence: number): Promise<Row>;
  /** Puts rows as they are given, whatever stood there. */
  put(...rows: readonly Row[]): Promise<void>;
  remove(...sequences: readonly number[]): Promise<void>;
  execute(cql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export type Row = Readonly<Record<string, unknown>>;

export const blockOfSequence = (sequence: number): number => Math.floor(sequence / EVENTS_PER_BLOCK);

/** The events of one epoch. */
export function auditRows(client: Client, epoch: number): AuditRows {
  const execute = async (cql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    const result = await client.execute(cql, [...values], { prepare: true });
    // A statement that returns nothing has no rows at all, whatever the driver's types say.
    const found = result.rows as typeof result.rows | undefined;
    return (found ?? []).map((row) => Object.fromEntries(row.keys().map((name) => [name, row.get(name) as unknown])));
  };
  const place = (sequence: number): readonly number[] => [epoch, blockOfSequence(sequence), sequence];
  return {
    execute,
    async read(sequence) {
      const [row] = await execute(
        'SELECT * FROM audit.events WHERE epoch = ? AND block = ? AND sequence = ?',
        place(sequence),
      );
      if (row === undefined) throw new Error(`there is no event ${sequence}`);
      return row;
    },
    async put(...rows) {
      for (const row of rows) {
        const names = Object.keys(row);
        const marks = names.map(() => '?').join(', ');
        await execute(`INSERT INTO audit.events (${names.join(', ')}) VALUES (${marks})`, Object.values(row));
      }
    },
    async remove(...sequences) {
      for (const sequence of sequences)
        await execute('DELETE FROM audit.events WHERE epoch = ? AND block = ? AND sequence = ?', place(sequence));
    },
  };
}
