import type { Client } from 'cassandra-driver';
import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import { boundValue } from './stored-value.ts';

/** Where the message of a row stands, as the row says. */
interface MessagePlace {
  readonly incarnation: string;
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * The place of the message that a row was made of, or undefined where there is no such row. `key` are the texts of its
 * partition and clustering values, in the table's order. Throws USAGE where they are too few, too many or of other types.
 */
export async function placeOfRow(
  client: Pick<Client, 'execute'>,
  { table }: CompiledContract,
  key: readonly string[],
): Promise<MessagePlace | undefined> {
  const names = [...table.partitionKey, ...table.clusteringKey];
  if (key.length !== names.length)
    throw new WardlineError('USAGE', `a row is named by ${names.length} values: ${names.join(', ')}`, {
      hint: 'separate them with commas, without spaces',
    });
  const values = names.map((name, index) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new WardlineError('INTERNAL', `the table has no column ${name}`);
    return boundValue(column, key[index] ?? '');
  });
  const where = names.map((name) => `${name} = ?`).join(' AND ');
  const query = `SELECT wardline_incarnation, wardline_partition, wardline_offset FROM ${table.keyspace}.${table.name} WHERE ${where}`;
  try {
    const [row] = (await client.execute(query, values, { prepare: true })).rows;
    if (row === undefined) return undefined;
    return {
      incarnation: String(row.get('wardline_incarnation')),
      partition: Number(row.get('wardline_partition')),
      offset: BigInt(String(row.get('wardline_offset'))),
    };
  } catch (error) {
    throw asCassandraError(error);
  }
}
