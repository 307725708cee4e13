import { types } from 'cassandra-driver';
import type { SensitiveClass } from '../../core/classification.ts';
import { asCassandraError } from '../connect/cassandra/cassandra-errors.ts';
import { KEYS_KEYSPACE } from '../principals/names.ts';
import { dekTableName } from './dek-schema.ts';

export { dekTableName, dekTableStatement, keysKeyspaceStatement } from './dek-schema.ts';

/** `active`: seals and opens. `retired`: opens only. `destroyed`: the wrapped key is gone, the row stays. */
type DekState = 'active' | 'retired' | 'destroyed';

/** One generation of a subject's DEK, as the table has it. */
export interface DekRow {
  readonly subject: string;
  readonly generation: number;
  readonly kid: string;
  /** Empty once destroyed. */
  readonly wrapped: string;
  readonly state: DekState;
  readonly createdAt: number;
  readonly destroyedAt: number | undefined;
}

/** Everything about one subject. `erased`: its keys were destroyed, and no new one is made until it is readmitted. */
export interface SubjectKeys {
  readonly erased: boolean;
  /** The oldest generation first. */
  readonly rows: readonly DekRow[];
}

export type Insertion = 'inserted' | 'exists' | 'erased';

/**
 * The DEKs of one contract and class. Every write is a lightweight transaction on the subject's partition, so that of
 * two processes that race one wins and the other learns of it.
 */
export interface DekTable {
  readAll(subject: string): Promise<SubjectKeys>;
  /** Stores a generation unless there is one of that number, or the subject is erased; says which. */
  insertIfAbsent(row: Pick<DekRow, 'subject' | 'generation' | 'kid' | 'wrapped' | 'createdAt'>): Promise<Insertion>;
  /** An active generation seals no more; it still opens. */
  retire(subject: string, generation: number): Promise<void>;
  /**
   * Erases a subject: first no new generation can be made, then every wrapped key is overwritten. The rows stay, so that
   * no generation's number comes back. Safe to call again after a failure at any point. Returns the kids destroyed now.
   */
  destroy(subject: string, time: number): Promise<readonly string[]>;
  /** Lets an erased subject have new keys again. What was sealed before stays closed. Returns whether it was erased. */
  readmit(subject: string): Promise<boolean>;
  /** Every generation of every subject, page by page. */
  list(): AsyncIterable<DekRow & { readonly erased: boolean }>;
}

interface ResultRows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly pageState?: string;
}

/** What the table needs of a Cassandra client. */
export interface CqlExecutor {
  execute(query: string, parameters: readonly unknown[], options: CqlOptions): Promise<ResultRows>;
}

interface CqlOptions {
  readonly prepare: true;
  readonly consistency: number;
  readonly serialConsistency?: number;
  readonly fetchSize?: number;
  readonly pageState?: string;
}

const READ: CqlOptions = { prepare: true, consistency: types.consistencies.localQuorum };
const CONDITIONAL: CqlOptions = { ...READ, serialConsistency: types.consistencies.localSerial };
const PAGE_ROWS = 1000;

/** The DEKs of one contract and class in Cassandra. Every method fails with a CASSANDRA_… error of asCassandraError. */
export function cassandraDekTable(client: CqlExecutor, contractId: string, classification: SensitiveClass): DekTable {
  const table = `${KEYS_KEYSPACE}.${dekTableName(contractId, classification)}`;
  const columns = 'subject, generation, kid, wrapped, state, created_at, destroyed_at, erased_at';
  const execute = async (query: string, parameters: readonly unknown[], options: CqlOptions): Promise<ResultRows> => {
    try {
      return await client.execute(query, parameters, options);
    } catch (error) {
      throw asCassandraError(error);
    }
  };
  /** The row of a conditional statement's answer: `[applied]`, and where not applied what stood in the way. */
  const decide = async (query: string, parameters: readonly unknown[]): Promise<Readonly<Record<string, unknown>>> =>
    (await execute(query, parameters, CONDITIONAL)).rows[0] ?? {};

  const readAll = async (subject: string): Promise<SubjectKeys> => {
    const { rows } = await execute(`SELECT ${columns} FROM ${table} WHERE subject = ?`, [subject], READ);
    return { erased: rows.some(isErased), rows: rows.filter(isGeneration).map(dekRow) };
  };

  return {
    readAll,
    async insertIfAbsent({ subject, generation, kid, wrapped, createdAt }) {
      const answer = await decide(
        `UPDATE ${table} SET kid = ?, wrapped = ?, state = 'active', created_at = ?
         WHERE subject = ? AND generation = ? IF kid = NULL AND erased_at = NULL`,
        [kid, wrapped, new Date(createdAt), subject, generation],
      );
      if (answer['[applied]'] === true) return 'inserted';
      return isErased(answer) ? 'erased' : 'exists';
    },
    async retire(subject, generation) {
      await decide(`UPDATE ${table} SET state = 'retired' WHERE subject = ? AND generation = ? IF state = 'active'`, [
        subject,
        generation,
      ]);
    },
    async destroy(subject, time) {
      await decide(`UPDATE ${table} SET erased_at = ? WHERE subject = ? IF erased_at = NULL`, [
        new Date(time),
        subject,
      ]);
      const { rows } = await readAll(subject);
      const standing = rows.filter((row) => row.state !== 'destroyed');
      for (const { generation } of standing) {
        // Empty rather than null: a null is a tombstone, and once that is collected an unrepaired replica could bring the key back.
        await decide(
          `UPDATE ${table} SET wrapped = '', state = 'destroyed', destroyed_at = ?
           WHERE subject = ? AND generation = ? IF EXISTS`,
          [new Date(time), subject, generation],
        );
      }
      return standing.map((row) => row.kid);
    },
    async readmit(subject) {
      const answer = await decide(`UPDATE ${table} SET erased_at = NULL WHERE subject = ? IF erased_at != NULL`, [
        subject,
      ]);
      return answer['[applied]'] === true;
    },
    async *list() {
      let pageState: string | undefined;
      do {
        const page = await execute(`SELECT ${columns} FROM ${table}`, [], {
          ...READ,
          fetchSize: PAGE_ROWS,
          ...(pageState === undefined ? {} : { pageState }),
        });
        for (const row of page.rows) if (isGeneration(row)) yield { ...dekRow(row), erased: isErased(row) };
        pageState = page.pageState ?? undefined;
      } while (pageState !== undefined);
    },
  };
}

function isErased(row: Readonly<Record<string, unknown>>): boolean {
  return row['erased_at'] instanceof Date;
}

/** A subject that was erased before it had a key has a row without a generation. */
function isGeneration(row: Readonly<Record<string, unknown>>): boolean {
  return typeof row['generation'] === 'number';
}

/** A row that was changed by hand may hold anything: what is not as it should be becomes empty, and then unwraps to no key. */
function dekRow(row: Readonly<Record<string, unknown>>): DekRow {
  const text = (name: string): string => (typeof row[name] === 'string' ? row[name] : '');
  const time = (name: string): number | undefined => (row[name] instanceof Date ? row[name].getTime() : undefined);
  return {
    subject: text('subject'),
    generation: typeof row['generation'] === 'number' ? row['generation'] : 0,
    kid: text('kid'),
    wrapped: text('wrapped'),
    state: STATES.find((state) => state === row['state']) ?? 'destroyed',
    createdAt: time('created_at') ?? 0,
    destroyedAt: time('destroyed_at'),
  };
}

const STATES: readonly DekState[] = ['active', 'retired', 'destroyed'];
