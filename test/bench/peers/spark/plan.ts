import type { Connection } from '../../../../core/connection.ts';
import type { JsonValue } from '../../../../core/record.ts';
import type { CompiledContract } from '../../../../governance/contract/compiled.ts';
import type { CqlTypeName } from '../../../../governance/contract/cql/cql-type.ts';
import type { JavaStores } from './stores.ts';

/** What the Spark job prints when everything is stored. */
export interface SparkAnswer {
  readonly records: number;
}

/** Spark's types of the values in a message. A time may be a number or a text there: it is read as text, then converted. */
const SPARK_TYPES: Readonly<Partial<Record<CqlTypeName, string>>> = {
  double: 'double',
  int: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
};

/** All that the job must know: where the servers are, how to get in, what a message holds and what a row. */
export function sparkPlan(connection: Connection, contract: CompiledContract, stores: JavaStores): JsonValue {
  const { kafka, cassandra } = connection;
  const [host = '', port = ''] = (cassandra.contactPoints[0] ?? '').split(':');
  const fields = contract.messageFields.map(({ name, property }) => {
    const type = contract.properties.find((candidate) => candidate.name === property)?.type ?? 'text';
    return { field: name, column: property, type: SPARK_TYPES[type] ?? 'string', isTime: type === 'timestamp' };
  });
  const derived = contract.properties.flatMap(({ column, derived: derivation }) =>
    derivation === undefined ? [] : [{ column, expression: derivation.spark }],
  );
  return {
    brokers: kafka.brokers.join(','),
    topic: contract.topic.name,
    cassandra: { host, port, localDataCenter: cassandra.localDataCenter },
    keyspace: contract.table.keyspace,
    table: contract.table.name,
    fields,
    derived,
    stores: { ...stores },
  };
}
