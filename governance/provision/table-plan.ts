import { PROVENANCE_COLUMNS, type CompiledContract } from '../contract/compiled.ts';
import { parseTableComment, quoted, tableCommentText } from '../contract/ddl.ts';
import type { TableFacts } from './cassandra-facts.ts';
import { cqlChange, type Change, type Conflict, type ProvisionPlan } from './plan.ts';

interface Wanted {
  readonly type: string;
  readonly kind: 'partition_key' | 'clustering' | 'regular';
  readonly position: number;
  readonly sealed: boolean;
}

/**
 * What must change in a table that exists: columns may be added. Anything else would lose data, or leave sealed and clear
 * values in one column: those are conflicts for a person to decide.
 */
export function planTable(contract: CompiledContract, existing: TableFacts): ProvisionPlan {
  const { table } = contract;
  const object = `${table.keyspace}.${table.name}`;
  const wanted = wantedColumns(contract);
  const comment = parseTableComment(existing.comment);
  const conflict = (problem: string, remedy: string): Conflict => ({ object: `table ${object}`, problem, remedy });
  const another = 'give the changed contract another physicalName or keyspace, and move the data there';

  const conflicts: Conflict[] = [];
  if (comment !== undefined && comment.contract !== contract.id) {
    conflicts.push(
      conflict(`it belongs to the contract ${comment.contract}`, 'choose another physicalName or keyspace'),
    );
  }
  if (existing.defaultTimeToLive !== (contract.retentionSeconds ?? 0)) {
    const seconds = contract.retentionSeconds ?? 0;
    conflicts.push(
      conflict(
        `default_time_to_live is ${existing.defaultTimeToLive}, and the contract needs ${seconds}`,
        `rows already stored keep their time; for new ones: ALTER TABLE ${object} WITH default_time_to_live = ${seconds}`,
      ),
    );
  }
  const changes: Change[] = [];
  for (const [name, column] of wanted) {
    const facts = existing.columns.get(name);
    if (facts === undefined && column.kind === 'regular') {
      changes.push(cqlChange('column', object, `ALTER TABLE ${object} ADD IF NOT EXISTS ${name} ${column.type}`));
    } else if (facts === undefined) conflicts.push(conflict(`the key lacks the column ${name}`, another));
    else if (facts.kind !== column.kind || facts.position !== column.position) {
      conflicts.push(conflict(`the column ${name} has another place in the key`, another));
    } else if (facts.type !== column.type) {
      conflicts.push(conflict(`the column ${name} is ${facts.type}, and the contract needs ${column.type}`, another));
    } else if (comment !== undefined && comment.sealed.includes(name) !== column.sealed) {
      const was = column.sealed
        ? 'holds clear values, and the contract seals it'
        : 'holds sealed values, and the contract does not seal it';
      conflicts.push(conflict(`the column ${name} ${was}`, 'give the property another name or encryptedName'));
    }
  }
  for (const name of existing.columns.keys()) {
    if (wanted.has(name)) continue;
    conflicts.push(
      conflict(
        `the column ${name} is not in the contract`,
        `keep the property in the contract, or give up its data: ALTER TABLE ${object} DROP ${name}`,
      ),
    );
  }
  const text = tableCommentText(contract);
  if (existing.comment !== text) {
    changes.push(cqlChange('comment', object, `ALTER TABLE ${object} WITH comment = ${quoted(text)}`));
  }
  return { changes, conflicts };
}

function wantedColumns({ table }: CompiledContract): ReadonlyMap<string, Wanted> {
  const keyPlace = (name: string): Pick<Wanted, 'kind' | 'position'> => {
    const partition = table.partitionKey.indexOf(name);
    if (partition >= 0) return { kind: 'partition_key', position: partition };
    const clustering = table.clusteringKey.indexOf(name);
    return clustering >= 0 ? { kind: 'clustering', position: clustering } : { kind: 'regular', position: -1 };
  };
  return new Map<string, Wanted>([
    ...table.columns.map(
      ({ name, storedType, sealedAs }) =>
        [name, { type: storedType, sealed: sealedAs !== undefined, ...keyPlace(name) }] as const,
    ),
    ...PROVENANCE_COLUMNS.map(
      ({ name, type }) => [name, { type, sealed: false, kind: 'regular', position: -1 }] as const,
    ),
  ]);
}
