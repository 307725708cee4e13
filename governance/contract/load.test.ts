import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { WardlineError } from '../../core/errors/errors.ts';
import { derived, draft, type Draft } from '../../test/support/contract-draft.ts';
import { SHIPPED_CONTRACTS } from './find.ts';
import { inspectText, loadContract, parseContract } from './load.ts';

describe('a contract that is refused', () => {
  it('names every problem at once, each with file, line, column and key', () => {
    const text = stringify(draft())
      .replace('classification: personal', 'classification: secret')
      .replace('id: meters', 'id: "!"');
    const lines = text.split('\n');
    const { problems } = inspectText(text.replace('name: voltage', 'name: Voltage'), 'meters.yaml');
    expect(problems.map(({ path }) => path)).toEqual([
      'id',
      'schema[0].properties[2].classification',
      'schema[0].properties[3].name',
    ]);
    expect(problems[1]).toMatchObject({
      file: 'meters.yaml',
      line: lines.findIndex((line) => line.includes('classification: secret')) + 1,
      column: 9,
    });
    let thrown: unknown;
    try {
      parseContract(text, 'meters.yaml');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(WardlineError);
    expect(thrown).toMatchObject({ code: 'CONTRACT_INVALID' });
    expect((thrown as WardlineError).message).toContain(
      `meters.yaml:${problems[1]?.line ?? 0}:9 schema[0].properties[2]`,
    );
  });

  it.each([
    ['not YAML', 'a: [1', /not valid YAML/],
    ['a key twice', 'id: a\nid: b', /not valid YAML/],
    ['a list', '- a', /is a map/],
    ['nothing', '', /is a map/],
    ['nested without end', '['.repeat(100_000), /cannot be taken in|not valid YAML/],
    ['a lone surrogate', JSON.stringify({ ...draft(), description: { purpose: '\ud800' } }), /lone surrogate/],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map(
          (name, i) =>
            `${name}: &${name} [${Array(9)
              .fill(`*${'abcdefgh'[i] ?? ''}`)
              .join(',')}]`,
        )
        .join('\n')}`,
      /not usable as JSON/,
    ],
  ])('%s', (_name, text, expected) => {
    const { problems, contract } = inspectText(text, 'c.yaml');
    expect(contract).toBeUndefined();
    expect(problems[0]?.message).toMatch(expected);
    expect(problems[0]?.line).toBeGreaterThan(0);
  });
});

describe('a contract that is accepted', () => {
  it('names what it does not enforce', () => {
    const contract = draft();
    contract['description'] = { purpose: 'x' };
    contract.slaProperties.push({ property: 'availability', value: 99 });
    Object.assign(contract.schema[0]?.properties[3] ?? {}, {
      businessName: 'Voltage',
      quality: [{ type: 'sql', query: 'SELECT 1', mustBe: 0 }],
      customProperties: [{ property: 'owner', value: 'x' }],
    });
    expect(parseContract(stringify(contract), 'c.yaml').notEnforced.toSorted()).toEqual([
      'description',
      'schema[0].properties[3].businessName',
      'schema[0].properties[3].customProperties[0] (owner)',
      'schema[0].properties[3].quality[0]',
      'schema[0].properties[3].quality[0].query',
      'slaProperties[0] (availability)',
    ]);
  });

  it('has a hash that only its content decides', () => {
    const hashOf = (contract: Draft, indent = 2): string => parseContract(stringify(contract, { indent }), 'c').hash;
    expect(hashOf(draft())).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf(draft(), 4)).toBe(hashOf(draft()));
    expect(hashOf({ ...draft(), version: '1.0.1' })).not.toBe(hashOf(draft()));
  });

  it('may use an expression over raw fields, by any letter case where that is unambiguous', () => {
    const contract = draft();
    contract.schema[0]?.properties.push(derived('x', 'VOLTAGE * CAST(Factor AS DOUBLE)'));
    expect(parseContract(stringify(contract), 'c').sourceFields).toEqual(['meter', 'ts', 'power', 'voltage', 'Factor']);
  });
});

describe('the shipped smart-home contract', () => {
  const contract = loadContract(join(SHIPPED_CONTRACTS, 'smart-home.odcs.yaml'));

  it('has all 32 source fields, and the household', () => {
    expect(contract.sourceFields).toHaveLength(33);
    expect(contract.sourceFields.slice(0, 4)).toEqual(['home_id', 'time', 'use [kW]', 'gen [kW]']);
    expect(contract.table).toMatchObject({
      keyspace: 'iot_data',
      name: 'weather_condition_and_household_energy_consumption',
      partitionKey: ['home_id', 'day'],
      clusteringKey: ['ts'],
    });
  });

  it('seals the circuits that tell what people do, and their sum', () => {
    const sealed = contract.messageFields
      .filter((field) => field.sealedAs !== undefined)
      .map((field) => field.property);
    expect(sealed.toSorted()).toEqual([
      ...['dishwasher_kw', 'garage_door_kw', 'home_office_kw', 'kitchen12_kw', 'kitchen14_kw', 'kitchen38_kw'],
      ...['living_room_kw', 'microwave_kw', 'occupied_kw'],
    ]);
    expect(contract.sensitiveClasses).toEqual(['personal']);
  });

  it('is open to the reader for what is personal', () => {
    expect(contract.roles).toContainEqual({
      role: 'reader',
      access: 'read',
      opens: ['personal'],
      purposes: ['forecasting', 'billing'],
    });
    expect(contract).toMatchObject({ retentionSeconds: 3650 * 86_400, latencySeconds: 5, dataSubject: 'home_id' });
    expect(contract.windowRules.map((rule) => [rule.metric, rule.text, rule.holds(0)])).toEqual([
      ['rowCount', 'must be greater than 0', false],
      ['duplicateValues', 'must be 0', true],
    ]);
  });
});
