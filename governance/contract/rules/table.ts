import { nameFault } from './names.ts';
import { isKey, type PropertyModel } from './property-model.ts';
import type { Path, Problems } from '../document/problems.ts';
import type { ContractDocument } from '../document/shape.ts';

export interface Keys {
  readonly partition: readonly PropertyModel[];
  readonly clustering: readonly PropertyModel[];
}

/** The key of a record: partition properties, then clustering properties, each in the contract's order. */
export function keysOf(properties: readonly PropertyModel[], problems: Problems): Keys {
  const keys = {
    partition: ordered(properties, 'partitionPosition', 'partitionKeyPosition', problems),
    clustering: ordered(properties, 'clusteringPosition', 'primaryKeyPosition', problems),
  };
  if (keys.partition.length === 0) {
    problems.add(
      ['schema', 0, 'properties'],
      'no partition key: give at least one property `partitioned: true` and a partitionKeyPosition',
    );
  }
  for (const property of properties) if (isKey(property)) checkKey(property, problems);
  checkSubject(properties, problems);
  return keys;
}

function checkKey(property: PropertyModel, problems: Problems): void {
  if (property.sealedAs !== undefined) {
    problems.add(
      [...property.path, 'classification'],
      `a key property cannot be ${property.sealedAs}: keys are never sealed`,
    );
  }
  if (!property.required && property.origin.kind === 'direct') {
    problems.add(property.path, 'a key property cannot be null: give it `required: true`');
  }
}

function checkSubject(properties: readonly PropertyModel[], problems: Problems): void {
  const subjects = properties.filter((property) => property.dataSubject);
  for (const other of subjects.slice(1))
    problems.add(other.path, `only one property is the dataSubject; ${subjects[0]?.name ?? ''} is`);
  const [subject] = subjects;
  if (subject === undefined) return;
  if (subject.sealedAs !== undefined) {
    problems.add(
      [...subject.path, 'classification'],
      `the dataSubject cannot be ${subject.sealedAs}: it names keys and must be readable; use a pseudonym`,
    );
  }
  if (!subject.required && !isKey(subject))
    problems.add(subject.path, 'the dataSubject cannot be null: give it `required: true`');
}

function ordered(
  properties: readonly PropertyModel[],
  position: 'partitionPosition' | 'clusteringPosition',
  odcsKey: string,
  problems: Problems,
): readonly PropertyModel[] {
  const chosen = properties.filter((property) => property[position] !== undefined);
  const seen = new Set<number>();
  for (const property of chosen) {
    const at = property[position] ?? -1;
    if (chosen.length === 1) break;
    if (at < 1) problems.add(property.path, `${odcsKey} must be given, from 1, where several properties share a key`);
    else if (seen.has(at)) problems.add([...property.path, odcsKey], `the position ${at} is used twice`);
    seen.add(at);
  }
  return chosen.toSorted((a, b) => (a[position] ?? 0) - (b[position] ?? 0));
}

/** The keyspace that the contract's Cassandra server names. */
export function keyspaceOf(document: ContractDocument, problems: Problems): string {
  const index = document.servers.findIndex((server) => server.server === 'cassandra' && server.type === 'custom');
  const keyspace = document.servers[index]?.schema;
  if (keyspace === undefined) {
    problems.add(
      index < 0 ? ['servers'] : ['servers', index],
      'no keyspace: needs a server {server: cassandra, type: custom, schema: <keyspace>}',
    );
    return '';
  }
  const fault = nameFault('keyspace', keyspace);
  if (fault !== undefined) problems.add(['servers', index, 'schema'], fault);
  return keyspace;
}

/** Name of table and topic. */
export function tableNameOf(document: ContractDocument, problems: Problems): string {
  const [table] = document.schema;
  const path: Path = ['schema', 0, table?.physicalName === undefined ? 'name' : 'physicalName'];
  const name = table?.physicalName ?? table?.name ?? '';
  const fault = nameFault('table', name);
  if (fault !== undefined) problems.add(path, fault);
  return name;
}

const SOURCE_FORMATS = ['csv', 'jsonl'] as const;

/** The contract's own default source: its server of type local. */
export function defaultSourceOf(document: ContractDocument, problems: Problems) {
  const index = document.servers.findIndex((server) => server.type === 'local');
  const server = document.servers[index];
  if (server === undefined) return undefined;
  const format = SOURCE_FORMATS.find((known) => known === server.format);
  if (format === undefined || server.path === undefined) {
    problems.add(['servers', index], `a local server needs a path and a format (${SOURCE_FORMATS.join(' or ')})`);
    return undefined;
  }
  return { path: server.path, format };
}
