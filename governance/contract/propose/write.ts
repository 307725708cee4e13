import { CQL_TYPES } from '../cql/cql-types.ts';
import type { InferredColumn } from './infer.ts';
import type { ProposedKey } from './key.ts';

interface Proposal {
  /** In snake case: id, keyspace and table. */
  readonly name: string;
  readonly path: string;
  readonly format: 'csv' | 'jsonl';
  readonly rows: number;
  readonly columns: readonly InferredColumn[];
  readonly key: ProposedKey;
  readonly nested: readonly string[];
}

const RETENTION_DAYS = 365;

/** Writes the proposal as YAML. Comments say what was assumed, and what only a person can decide. */
export function writeProposal(proposal: Proposal): string {
  const { name, path, format, rows, columns, key, nested } = proposal;
  const lines = [
    `# Proposed from the first ${rows} rows of ${oneLine(path)}. Read every line that begins with DECIDE.`,
    ...keyNotes(key),
    ...nested.map((field) => `# The field ${scalar(field)} holds nested JSON, which no column can; it is left out.`),
    'apiVersion: v3.1.0',
    'kind: DataContract',
    `id: ${name.replaceAll('_', '-')}`,
    'version: 0.1.0',
    '# DECIDE: only an active contract is enforced.',
    'status: draft',
    'servers:',
    `  - { server: file, type: local, path: ${scalar(path)}, format: ${format} }`,
    '  # DECIDE: the keyspace.',
    `  - { server: cassandra, type: custom, schema: ${keyspaceOf(name)} }`,
    'schema:',
    `  - name: ${name}`,
    '    # Name of table and topic.',
    `    physicalName: ${name}`,
    '    properties:',
    '      # DECIDE: the class of each. Personal and restricted values are sealed; public and internal ones are not. Keys never are.',
    ...dayProperty(key),
    ...columns.flatMap((column) => property(column, key)),
    'slaProperties:',
    '  # DECIDE: how long records are kept.',
    `  - { property: retention, value: ${RETENTION_DAYS}, unit: d }`,
    'roles:',
    '  - { role: source, access: write }',
    '  - { role: worker, access: write }',
    '  # DECIDE: whether the reader may open sealed values, and what for. Then write:',
    '  # - { role: reader, access: read, customProperties: [{ property: opens, value: [personal] }, { property: purposes, value: [billing] }] }',
    '  - { role: reader, access: read }',
  ];
  return `${lines.join('\n')}\n`;
}

function keyNotes({ subject, time }: ProposedKey): string[] {
  if (subject === undefined && time === undefined) {
    return [
      '# NOT COMPLETE: no column could be the key, which must be present in every row. Give at least one property',
      '# `required: true, partitioned: true, partitionKeyPosition: 1, classification: internal`.',
    ];
  }
  const notes = ['# DECIDE: two rows with the same key are one record; the last wins.'];
  if (subject === undefined) {
    notes.push(
      '# DECIDE: the key is the time alone. If rows are about several things or people, add the property that says which; a field',
      '# that the file lacks can be given for a whole run with --set FIELD=VALUE.',
    );
  }
  return notes;
}

function dayProperty({ subject, time, day }: ProposedKey): string[] {
  if (time === undefined || day === undefined) return [];
  return [
    `      - name: ${day}`,
    '        logicalType: date',
    '        partitioned: true',
    `        partitionKeyPosition: ${subject === undefined ? 1 : 2}`,
    '        classification: internal',
    `        transformLogic: CAST(${time.name} AS DATE)`,
  ];
}

function property(column: InferredColumn, { subject, time, day }: ProposedKey): string[] {
  const { field, name, type, nullValues, epochUnit } = column;
  const isKey = column === subject || column === time;
  const [logicalType = 'string'] = CQL_TYPES[type].logicalTypes;
  const extras = [
    ...(epochUnit === undefined ? [] : [`{ property: epochUnit, value: ${epochUnit} }`]),
    ...(nullValues.length === 0 ? [] : [`{ property: nullValues, value: [${nullValues.map(scalar).join(', ')}] }`]),
    ...(column === subject ? ['{ property: dataSubject, value: true }'] : []),
  ];
  return [
    ...(column === subject
      ? ['      # DECIDE: whether this says whom a record is about; a person’s own name or number needs a pseudonym.']
      : []),
    `      - name: ${name}`,
    `        logicalType: ${logicalType}`,
    `        physicalType: ${type}`,
    ...(isKey ? ['        required: true'] : []),
    ...(column === subject ? ['        partitioned: true', '        partitionKeyPosition: 1'] : []),
    ...(column === time ? keyOfTime(day) : []),
    `        classification: ${isKey ? 'internal' : 'personal'}`,
    ...(field === name ? [] : [`        transformSourceObjects: [${scalar(field)}]`]),
    ...(extras.length === 0 ? [] : [`        customProperties: [${extras.join(', ')}]`]),
  ];
}

/** The time orders the records of a day; without a name left for the day it is the partition itself. */
function keyOfTime(day: string | undefined): string[] {
  return day === undefined
    ? ['        partitioned: true', '        partitionKeyPosition: 2']
    : ['        primaryKey: true', '        primaryKeyPosition: 3'];
}

/** `system` and `audit` are taken; a keyspace has at most 48 characters. */
function keyspaceOf(name: string): string {
  return `${name.slice(0, 40)}_data`;
}

/** Any text as a YAML scalar: JSON's strings are YAML's. */
function scalar(text: string): string {
  return JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
