import type { Client, types } from 'cassandra-driver';
import type { AuditLog } from '../../audit/event/event.ts';
import type { SensitiveClass } from '../../core/classification.ts';
import { asWardlineError, WardlineError, type ErrorCode } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import type { Column, CompiledContract, RolePolicy } from '../../governance/contract/compiled.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { Keyring } from '../../security/keyring/keyring.ts';
import type { PrincipalName } from '../../security/principals/names.ts';
import { fieldContexts } from '../../security/sealed-field/context.ts';
import { openSealedField } from '../../security/sealed-field/open.ts';
import { parseSealedField } from '../../security/sealed-field/parse.ts';
import { boundValue, storedJson, storedKey } from './stored-value.ts';

/** What stands in place of a sealed value that the principal may not open. */
const MASK = '•••';

/** One stored row as its reader may see it. */
export interface ReadRow {
  readonly values: Readonly<Record<string, JsonValue>>;
  /** Columns that were to be opened but could not be, and why. */
  readonly faults: Readonly<Record<string, ErrorCode>>;
}

export interface ReadOptions {
  readonly client: Client;
  readonly contract: CompiledContract;
  /** Undefined for a principal that holds no data keys: it opens nothing. */
  readonly keyring: Keyring | undefined;
  readonly audit: AuditLog;
  readonly principal: PrincipalName;
  readonly purpose: string;
  readonly subject: string;
  readonly limit: number;
  readonly traceId?: string | undefined;
}

const PAGE_ROWS = 500;

/**
 * Reads the rows of a data subject as one principal, newest partition order of the table. Sealed fields of the classes
 * that the contract opens to this principal for this purpose are opened, all others masked.
 * Each page is an audit event before its first row is given out, with what was opened, and so is that there are no rows. Throws
 * REFUSED_BY_POLICY for a purpose that the contract does not allow this principal, and CASSANDRA_REFUSED where the
 * principal has no right to the table; both are events, too.
 */
export async function* readSubject(options: ReadOptions): AsyncGenerator<ReadRow> {
  const { contract, audit, principal, purpose } = options;
  const policy = contract.roles.find((role) => role.role === principal && role.access === 'read');
  if (policy !== undefined && policy.purposes.length > 0 && !policy.purposes.includes(purpose)) {
    await audit.append({ ...statementOf(options), outcome: 'denied', code: 'REFUSED_BY_POLICY' });
    throw new WardlineError(
      'REFUSED_BY_POLICY',
      `contract ${contract.id} does not let ${principal} read for the purpose ${purpose}`,
      {
        hint: `its purposes are: ${policy.purposes.join(', ')}`,
      },
    );
  }
  const opens = opensOf(policy, options.keyring);
  const open = opener(options, opens);
  const state = (counts: ReturnType<typeof countsOf>): Promise<void> =>
    audit.append({ ...statementOf(options), outcome: 'success', counts, details: { purpose, classes: [...opens] } });
  let stated = false;
  try {
    for await (const page of pages(options)) {
      const rows: ReadRow[] = [];
      for (const row of page) rows.push(await open(row));
      await state(countsOf(page, rows, contract, opens));
      stated = true;
      yield* rows;
    }
  } catch (error) {
    const { code } = asWardlineError(error);
    if (code === 'CASSANDRA_REFUSED') await audit.append({ ...statementOf(options), outcome: 'denied', code });
    throw error;
  }
  // That nothing is known of somebody is an answer too.
  if (!stated) await state(countsOf([], [], contract, opens));
}

/** How many rows a page has, and how many sealed fields of it were opened, could not be opened, and are masked. */
function countsOf(
  page: readonly types.Row[],
  rows: readonly ReadRow[],
  contract: CompiledContract,
  opens: ReadonlySet<SensitiveClass>,
): { readonly rows: number; readonly opened: number; readonly failed: number; readonly masked: number } {
  const counts = { rows: page.length, opened: 0, failed: 0, masked: 0 };
  for (const [index, row] of page.entries()) {
    for (const { name, sealedAs } of contract.table.columns) {
      if (sealedAs === undefined || row.get(name) === null) continue;
      if (!opens.has(sealedAs)) counts.masked += 1;
      else if (rows[index]?.faults[name] === undefined) counts.opened += 1;
      else counts.failed += 1;
    }
  }
  return counts;
}

function statementOf({ contract, subject, purpose, traceId }: ReadOptions) {
  const { id, version, hash } = contract;
  return {
    action: 'read.open',
    object: { type: 'subject', id: subject },
    contract: { id, version, hash },
    traceId,
    details: { purpose },
  } as const;
}

function opensOf(policy: RolePolicy | undefined, keyring: Keyring | undefined): ReadonlySet<SensitiveClass> {
  return new Set(keyring === undefined ? [] : (policy?.opens ?? []));
}

/** Turns a stored row into what the reader may see. */
function opener(
  { contract, keyring, subject }: ReadOptions,
  opens: ReadonlySet<SensitiveClass>,
): (row: types.Row) => Promise<ReadRow> {
  const { columns } = contract.table;
  const keyOf = storedKey(contract);
  const contextsOf = fieldContexts(
    contract.id,
    columns.map((column) => column.property),
  );
  const openColumn = async (
    column: Column & { readonly sealedAs: SensitiveClass },
    text: string,
    context: ReturnType<typeof contextsOf>[number],
  ) => {
    if (keyring === undefined) throw new WardlineError('REFUSED_BY_POLICY', 'this principal holds no data keys');
    const place = { contract: contract.id, subject, classification: column.sealedAs };
    const dataKey = await keyring.byKid(place, parseSealedField(text).header.kid);
    return openSealedField(text, dataKey, { ...place, context });
  };
  return async (row) => {
    const values: Record<string, JsonValue> = {};
    const faults: Record<string, ErrorCode> = {};
    const contexts = contextsOf(keyOf((name) => row.get(name) as unknown));
    for (const [index, column] of columns.entries()) {
      const stored = row.get(column.name) as unknown;
      const { sealedAs } = column;
      const context = contexts[index];
      if (sealedAs === undefined || stored === null || context === undefined) {
        values[column.name] = storedJson(column, stored);
      } else if (!opens.has(sealedAs)) {
        values[column.name] = MASK;
      } else {
        try {
          values[column.name] = await openColumn({ ...column, sealedAs }, stored as string, context);
        } catch (error) {
          const { code, retryable } = asWardlineError(error);
          // An unreachable key table is no property of the field: the whole read ends.
          if (retryable) throw error;
          values[column.name] = null;
          faults[column.name] = code;
        }
      }
    }
    return { values, faults };
  };
}

/** The rows of a subject, a page at a time, as stored. */
async function* pages({ client, contract, subject, limit }: ReadOptions): AsyncGenerator<readonly types.Row[]> {
  let left = limit;
  for await (const { query, params } of selections(client, contract, subject)) {
    let pageState: string | undefined;
    do {
      const fetchSize = Math.min(PAGE_ROWS, left);
      const page = await execute(client, query, params, {
        fetchSize,
        ...(pageState === undefined ? {} : { pageState }),
      });
      const rows = page.rows.slice(0, left);
      left -= rows.length;
      if (rows.length > 0) yield rows;
      ({ pageState } = page);
    } while (hasMore(pageState) && left > 0);
    if (left <= 0) return;
  }
}

/**
 * What to select for a subject. Where the subject is one of several partition columns, its partitions are looked up
 * first, by the servers; where it is no key column at all, the servers filter the whole table.
 */
async function* selections(
  client: Client,
  contract: CompiledContract,
  subject: string,
): AsyncGenerator<{ query: string; params: unknown[] }> {
  const { keyspace, name, partitionKey, columns } = contract.table;
  const about = columns.find(({ property }) => property === contract.dataSubject);
  const column = about?.name;
  const bound = about === undefined ? [] : [boundValue(about, subject)];
  const from = `FROM ${keyspace}.${name}`;
  if (column === undefined) {
    if (subject !== contract.id) return;
    yield { query: `SELECT * ${from}`, params: [] };
  } else if (!partitionKey.includes(column)) {
    yield { query: `SELECT * ${from} WHERE ${column} = ? ALLOW FILTERING`, params: bound };
  } else if (partitionKey.length === 1) {
    yield { query: `SELECT * ${from} WHERE ${column} = ?`, params: bound };
  } else {
    const distinct = `SELECT DISTINCT ${partitionKey.join(', ')} ${from} WHERE ${column} = ? ALLOW FILTERING`;
    let pageState: string | undefined;
    do {
      const page = await execute(client, distinct, bound, {
        fetchSize: PAGE_ROWS,
        ...(pageState === undefined ? {} : { pageState }),
      });
      for (const row of page.rows) {
        const params = partitionKey.map((part) => row.get(part) as unknown);
        yield { query: `SELECT * ${from} WHERE ${partitionKey.map((part) => `${part} = ?`).join(' AND ')}`, params };
      }
      ({ pageState } = page);
    } while (hasMore(pageState));
  }
}

async function execute(
  client: Client,
  query: string,
  params: unknown[],
  options: { fetchSize: number; pageState?: string },
): Promise<types.ResultSet> {
  try {
    return await client.execute(query, params, { prepare: true, ...options });
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** The driver's types promise a text; after the last page there is none. */
function hasMore(pageState: string | null | undefined): boolean {
  return pageState !== null && pageState !== undefined;
}
