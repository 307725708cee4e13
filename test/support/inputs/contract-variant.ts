import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const CONTRACTS = {
  'smart-home': join(import.meta.dirname, '../../../governance/contracts/smart-home.odcs.yaml'),
  clinic: join(import.meta.dirname, '../contracts/clinic.odcs.yaml'),
} as const;

/** The clinic's own records. */
export const CLINIC_CSV = join(import.meta.dirname, '../contracts/clinic.csv');

export interface ContractVariant {
  readonly id: string;
  readonly path: string;
  readonly topic: string;
  /** Keyspace and table. */
  readonly table: string;
}

interface Document {
  id: string;
  version: string;
  servers: { schema?: string }[];
  schema: [{ physicalName: string; properties: Record<string, unknown>[] }];
}

export type ContractChange = (document: Document) => void;

/** A contract of a test's own: another id, topic and table, so that tests do not meet on the servers. Written into `folder`. */
export function contractVariant(
  base: keyof typeof CONTRACTS,
  folder: string,
  id: string,
  change: ContractChange = () => undefined,
): ContractVariant {
  const document = parse(readFileSync(CONTRACTS[base], 'utf8')) as Document;
  document.id = id;
  document.schema[0].physicalName = id.replaceAll('-', '_');
  change(document);
  const path = join(folder, `${id}-${document.version}.odcs.yaml`);
  writeFileSync(path, stringify(document));
  const keyspace = document.servers.find(({ schema }) => schema !== undefined)?.schema ?? '';
  const topic = document.schema[0].physicalName;
  return { id, path, topic, table: `${keyspace}.${topic}` };
}

/** The property of a name, to be changed in place. */
export function propertyOf(document: Document, name: string): Record<string, unknown> {
  const property = document.schema[0].properties.find((candidate) => candidate['name'] === name);
  if (property === undefined) throw new Error(`the contract has no property ${name}`);
  return property;
}
