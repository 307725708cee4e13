import type { DekRow, DekTable, SubjectKeys } from '../../security/keyring/dek-table.ts';

/**
 * A stand-in for the keys table: one map, in which each call is atomic, as a lightweight transaction makes it.
 * The same tests hold it and the table in Cassandra to one behaviour (dek-table-behaviour.ts).
 */
export interface MemoryDekTable extends DekTable {
  /** How often `readAll` was called. */
  readonly reads: () => number;
  /** From now on every call fails with this, until it is undefined again. */
  failWith(error: Error | undefined): void;
  /** Puts another row in a row's place, as somebody with rights on the table could. */
  tamper(subject: string, generation: number, different: Partial<DekRow>): void;
}

export function memoryDekTable(): MemoryDekTable {
  const generations = new Map<string, Map<number, DekRow>>();
  const erased = new Set<string>();
  let failure: Error | undefined;
  let reads = 0;
  const rowsOf = (subject: string): Map<number, DekRow> => {
    const rows = generations.get(subject) ?? new Map<number, DekRow>();
    generations.set(subject, rows);
    return rows;
  };
  const change = (subject: string, generation: number, different: Partial<DekRow>): void => {
    const row = rowsOf(subject).get(generation);
    if (row !== undefined) rowsOf(subject).set(generation, { ...row, ...different });
  };
  /** A round trip to a server lets other calls in between. */
  const roundTrip = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (failure !== undefined) throw failure;
  };
  const read = (subject: string): SubjectKeys => ({
    erased: erased.has(subject),
    rows: [...rowsOf(subject).values()].sort((a, b) => a.generation - b.generation),
  });
  return {
    reads: () => reads,
    failWith: (error) => (failure = error),
    tamper: change,
    async readAll(subject) {
      reads += 1;
      await roundTrip();
      return read(subject);
    },
    async insertIfAbsent(row) {
      await roundTrip();
      if (erased.has(row.subject)) return 'erased';
      if (rowsOf(row.subject).has(row.generation)) return 'exists';
      rowsOf(row.subject).set(row.generation, { ...row, state: 'active', destroyedAt: undefined });
      return 'inserted';
    },
    async retire(subject, generation) {
      await roundTrip();
      if (rowsOf(subject).get(generation)?.state === 'active') change(subject, generation, { state: 'retired' });
    },
    async destroy(subject, time) {
      await roundTrip();
      erased.add(subject);
      const standing = read(subject).rows.filter((row) => row.state !== 'destroyed');
      for (const { generation } of standing) {
        change(subject, generation, { wrapped: '', state: 'destroyed', destroyedAt: time });
      }
      return standing.map((row) => row.kid);
    },
    async readmit(subject) {
      await roundTrip();
      return erased.delete(subject);
    },
    async *list() {
      await roundTrip();
      for (const subject of generations.keys()) {
        for (const row of read(subject).rows) yield { ...row, erased: erased.has(subject) };
      }
    },
  };
}
