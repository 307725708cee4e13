import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { derived, draft, extra, type Draft, type Property } from '../../../test/support/contract-draft.ts';
import { inspectText } from '../load.ts';

function problemsOf(change: (contract: Draft, properties: Property[]) => void): string[] {
  const contract = draft();
  change(contract, contract.schema[0]?.properties ?? []);
  return inspectText(stringify(contract), 'c.yaml').problems.map(({ path, message }) => `${path}: ${message}`);
}

const add =
  (property: Property) =>
  (_: Draft, properties: Property[]): void => {
    properties.push(property);
  };
const change =
  (index: number, members: Property) =>
  (_: Draft, properties: Property[]): void => {
    Object.assign(properties[index] ?? {}, members);
  };

describe('a contract that is refused', () => {
  it.each<[string, (contract: Draft, properties: Property[]) => void, RegExp]>([
    ['no id', (c) => delete c['id'], /^id: is missing/],
    ['a bad id', (c) => (c['id'] = 'My Meters'), /^id: "My Meters" is no contract id/],
    ['another API version', (c) => (c['apiVersion'] = 'v2.2.0'), /^apiVersion:/],
    [
      'a key that ODCS lacks',
      (c) => (c['shema'] = []),
      /^shema: ODCS v3\.1\.0 has no key "shema" here; did you mean "schema"/,
    ],
    [
      'a misspelt key of a property',
      change(2, { clasification: 'personal' }),
      /properties\[2\]\.clasification: .*did you mean "classification"/,
    ],
    ['an unknown class', change(2, { classification: 'secret' }), /properties\[2\]\.classification:/],
    ['an unknown logical type', change(2, { logicalType: 'object' }), /properties\[2\]\.logicalType:/],
    ['an unknown physical type', change(2, { physicalType: 'float' }), /properties\[2\]\.physicalType:/],
    [
      'types that do not fit',
      change(2, { physicalType: 'text' }),
      /a number cannot be a text; it can be double or decimal/,
    ],
    ['no type at all', add({ name: 'x' }), /needs a logicalType/],
    ['a name in upper case', add({ name: 'Power', logicalType: 'number' }), /"Power" is no column name/],
    ['a reserved word', add({ name: 'order', logicalType: 'number' }), /reserved word of CQL/],
    ['a reserved prefix', add({ name: 'wardline_x', logicalType: 'number' }), /prefix wardline_ is reserved/],
    [
      'a name twice',
      add({ name: 'power', logicalType: 'number', transformSourceObjects: ['p2'] }),
      /name "power" is used twice/,
    ],
    ['a column twice', change(2, { encryptedName: 'voltage' }), /column "voltage" is used twice/],
    ['an encryptedName in clear', change(3, { encryptedName: 'v' }), /encryptedName: is for sealed properties/],
    ['absenceSensitive in clear', change(3, extra('absenceSensitive', true)), /absenceSensitive is for sealed/],
    [
      'a source field twice',
      add({ name: 'p2', logicalType: 'number', transformSourceObjects: ['power'] }),
      /"power" is mapped already by power/,
    ],
    ['two fields and no expression', change(3, { transformSourceObjects: ['a', 'b'] }), /names one source field/],
    ['a sealed key', change(0, { classification: 'personal' }), /key property cannot be personal/],
    ['a nullable key', change(1, { required: false }), /key property cannot be null/],
    ['no partition key', change(0, { partitioned: false }), /no partition key/],
    ['a position twice', change(1, { partitioned: true, partitionKeyPosition: 1 }), /position 1 is used twice/],
    ['no position', change(1, { partitioned: true }), /partitionKeyPosition must be given/],
    [
      'two data subjects',
      (_c, p) => p.slice(0, 2).forEach((each) => Object.assign(each, extra('dataSubject', true))),
      /only one property is the dataSubject; meter is/,
    ],
    [
      'a sealed data subject',
      change(2, { required: true, ...extra('dataSubject', true) }),
      /dataSubject cannot be personal/,
    ],
    ['a nullable data subject', change(3, extra('dataSubject', true)), /dataSubject cannot be null/],
    [
      'a class below its inputs',
      add(derived('half', 'power / 2')),
      /is internal, but its expression uses what is personal/,
    ],
    [
      'a class below, through another',
      (_c, p) => p.push(derived('half', 'power / 2', { classification: 'personal' }), derived('quarter', 'half / 2')),
      /properties\[5\]: is internal, but/,
    ],
    [
      'a public of an internal',
      add(derived('v2', 'voltage * 2', { classification: 'public' })),
      /is public, but its expression uses what is internal/,
    ],
    [
      'declassified without a reason',
      add(derived('half', 'power / 2', extra('declassified', ' '))),
      /declassified: needs a reason/,
    ],
    ['declassified and direct', change(3, extra('declassified', 'why')), /declassified is for derived/],
    [
      'a raw field used above',
      (_c, p) =>
        p.push(
          derived('a', 'CAST("raw" AS DOUBLE)', { classification: 'personal' }),
          derived('b', 'CAST("raw" AS DOUBLE)'),
        ),
      /properties\[5\]: is internal, but/,
    ],
    ['an expression that is none', add(derived('x', 'voltage +')), /transformLogic: .*expression/],
    ['an unknown function', add(derived('x', 'MEDIAN(voltage)')), /transformLogic: .*MEDIAN.*/i],
    [
      'an unlisted name',
      add(derived('x', 'voltage + vltage', { transformSourceObjects: ['voltage'] })),
      /transformLogic: there is no field vltage/,
    ],
    [
      'an expression of another type',
      add({ name: 'x', logicalType: 'integer', transformLogic: 'voltage * 2' }),
      /gives double, and the property is a bigint: write CAST/,
    ],
    ['a circle', (_c, p) => p.push(derived('a', 'b + 1'), derived('b', 'a + 1')), /in a circle: (a → b → a|b → a → b)/],
    [
      'an option of another type',
      change(3, { logicalTypeOptions: { pattern: 'x' } }),
      /number has no option "pattern"/,
    ],
    ['an option of Object', change(3, { logicalTypeOptions: { constructor: 1 } }), /has no option "constructor"/],
    ['a limit that is no number', change(3, { logicalTypeOptions: { minimum: 'low' } }), /"low" is no double/],
    ['a limit that is no time', change(1, { logicalTypeOptions: { minimum: 'soon' } }), /"soon" is no timestamp/],
    ['a zone', change(1, { logicalTypeOptions: { defaultTimezone: 'Europe/Berlin' } }), /only UTC/],
    ['a pattern that looks behind', change(0, { logicalTypeOptions: { pattern: '(?<=a)b' } }), /linear time/],
    ['a pattern that refers back', change(0, { logicalTypeOptions: { pattern: '(a)\\1' } }), /linear time/],
    ['a time format not known', change(1, { logicalTypeOptions: { format: 'yyyy-ww' } }), /format letters "ww"/],
    ['epochUnit of a number', change(3, extra('epochUnit', 's')), /epochUnit is for timestamps/],
    ['an unknown unit', change(1, extra('epochUnit', 'ns')), /customProperties\[0\]\.value: epochUnit/],
    ['a rule without a metric', change(3, { quality: [{ type: 'library', mustBe: 0 }] }), /needs a metric/],
    ['a rule without a threshold', change(3, { quality: [{ metric: 'nullValues' }] }), /needs exactly one of/],
    [
      'a rule that none can pass',
      change(3, { quality: [{ metric: 'nullValues', mustBeGreaterThan: 0 }] }),
      /no record could pass/,
    ],
    ['a rule of a table', change(3, { quality: [{ metric: 'rowCount', mustBe: 1 }] }), /is for a table/],
    [
      'invalidValues of nothing',
      change(3, { quality: [{ metric: 'invalidValues', mustBe: 0 }] }),
      /either validValues or pattern/,
    ],
    [
      'valid values of another type',
      change(3, { quality: [{ metric: 'invalidValues', mustBe: 0, arguments: { validValues: ['x'] } }] }),
      /"x" in validValues is no double/,
    ],
    [
      'a rule of a property',
      (c) => (c.schema[0] ? (c.schema[0].quality = [{ metric: 'nullValues', mustBe: 0 }]) : undefined),
      /is for a property/,
    ],
    ['no keyspace', (c) => (c.servers = []), /^servers: no keyspace/],
    [
      'a keyspace of ours',
      (c) => (c.servers = [{ server: 'cassandra', type: 'custom', schema: 'wardline_keys' }]),
      /is reserved/,
    ],
    [
      'a keyspace of the server',
      (c) => (c.servers = [{ server: 'cassandra', type: 'custom', schema: 'system_auth' }]),
      /not for data/,
    ],
    [
      'a long keyspace',
      (c) => (c.servers = [{ server: 'cassandra', type: 'custom', schema: 'k'.repeat(49) }]),
      /longer than 48/,
    ],
    [
      'a table that is no name',
      (c) => (c.schema[0] ? (c.schema[0].physicalName = 'my-table') : undefined),
      /schema\[0\]\.physicalName: "my-table"/,
    ],
    [
      'a source without a path',
      (c) => c.servers.push({ server: 'f', type: 'local', format: 'csv' }),
      /local server needs a path/,
    ],
    [
      'an unknown principal',
      (c) => c.roles.push({ role: 'intern', access: 'read' }),
      /^roles\[0\]\.role: there is no principal "intern"/,
    ],
    ['an unknown access', (c) => c.roles.push({ role: 'reader', access: 'all' }), /^roles\[0\]\.access/],
    [
      'opens without purposes',
      (c) => c.roles.push({ role: 'reader', access: 'read', ...extra('opens', ['personal']) }),
      /opens needs purposes/,
    ],
    [
      'opens of the worker',
      (c) =>
        c.roles.push({
          role: 'worker',
          access: 'read',
          customProperties: [{ property: 'opens', value: ['personal'] }],
        }),
      /worker is given no keys/,
    ],
    [
      'opens of an unknown class',
      (c) => c.roles.push({ role: 'reader', access: 'read', ...extra('opens', ['top']) }),
      /opens/,
    ],
    [
      'another unit of retention',
      (c) => c.slaProperties.push({ property: 'retention', value: 1, unit: 'y' }),
      /unit of retention is d, not y/,
    ],
    [
      'a retention of nothing',
      (c) => c.slaProperties.push({ property: 'retention', value: 0, unit: 'd' }),
      /must be a whole number above 0/,
    ],
    [
      'a retention twice',
      (c) =>
        c.slaProperties.push(
          { property: 'latency', value: 1, unit: 's' },
          { property: 'latency', value: 2, unit: 's' },
        ),
      /given twice/,
    ],
  ])('%s', (_name, mistake, expected) => {
    const problems = problemsOf(mistake);
    expect(problems.join('\n')).toMatch(new RegExp(expected.source, `m${expected.flags}`));
  });
});
