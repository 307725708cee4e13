import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodetool } from '../../../stack/index.ts';
import { filesWith, spellingsOf } from '../../support/inputs/byte-search.ts';
import { contractVariant, propertyOf } from '../../support/inputs/contract-variant.ts';
import { scratch } from '../../support/scratch.ts';
import { csvOf } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn, type WardlineOutcome } from '../../support/wardline.ts';

const { home } = withStack();
const files = scratch();

/** All secret markers begin alike, so that one search finds any of them; random, so that nothing else holds them. */
const SECRET = `Zq${randomBytes(6).toString('hex')}`;
const CLEAR = `Kw${randomBytes(6).toString('hex')}`;
const marker = (name: string): string => `${SECRET}${name}`;
/** A number has no spelling of its own in Cassandra's decimal: its digits are searched for as bytes, too. */
const DIGITS = String(10n ** 14n + BigInt(`0x${randomBytes(5).toString('hex')}`));
const WEIGHT = `${DIGITS.slice(0, 2)}.${DIGITS.slice(2)}`;

const contract = contractVariant('clinic', files.folder, 'marker-search', (document) => {
  propertyOf(document, 'weight_kg')['logicalTypeOptions'] = {};
  document.schema[0].properties.push({
    name: 'nurse',
    logicalType: 'string',
    classification: 'personal',
    transformSourceObjects: ['Nurse'],
  });
});

const COLUMNS = [
  ...['Patient', 'Taken At', 'Device', 'Heart rate', 'Systolic', 'Diastolic', 'Weight', 'Born', 'Diagnosis'],
  ...['Consent', 'Ward', 'Room', 'Nurse', 'Unused'],
];

function record(minute: number, change: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const time = `2024-05-01T08:${String(minute).padStart(2, '0')}:00Z`;
  const plain = { Patient: 'p-0007', 'Taken At': time, Device: '1', 'Heart rate': '70', Systolic: '120' };
  const rest = { Diastolic: '80', Weight: '70', Born: '01.01.1970', Consent: 'true', Ward: 'north', Room: '1' };
  return { ...plain, ...rest, Diagnosis: 'none', Nurse: 'Ada', Unused: '', ...change };
}

const input = csvOf(
  [
    record(0, { Diagnosis: marker('restricted'), Nurse: marker('personal'), Weight: WEIGHT }),
    record(1, { Room: CLEAR }),
    record(2, { Unused: marker('unused') }),
    record(3, { Diagnosis: marker('dead'), Ward: 'nowhere' }),
    record(4, { 'Heart rate': marker('type') }),
    record(5, { Born: marker('date'), Patient: 'nobody' }),
  ],
  COLUMNS,
).concat(`p-0007,${marker('malformed')}\n`, `p-0007,"${marker('unclosed')}\n`);

const secretSpellings = [...spellingsOf(SECRET), ...spellingsOf(WEIGHT), ...numberBytes(DIGITS)];
const said: WardlineOutcome[] = [];
let places: string[];

function numberBytes(digits: string): Buffer[] {
  return [Buffer.from(BigInt(digits).toString(16).padStart(12, '0'), 'hex')];
}

/** Where any spelling of a text stands in the home, by folder. */
const placesOf = (spellings: readonly Buffer[]): string[] =>
  filesWith(home.path, spellings).map((path) => relative(home.path, path).split(sep).slice(0, 3).join('/'));

beforeAll(async () => {
  const path = files.file('marked.csv', input);
  const run = await wardlineOn(home.path, ['run', '--contract', contract.path, '--source', 'csv', '--path', path]);
  expect(run.json).toMatchObject({ records_read: 8, records_stored: 3, dead_letters: 5 });
  const command = (...args: string[]) => wardlineOn(home.path, [...args, '--contract', contract.path]);
  const list = await command('dead-letters', 'list');
  said.push(run, list, await command('keys', 'list'), await command('keys', 'check'));
  // Disclosures: what they print is meant for the one who asks, and must stand in no file.
  const opened = await command('read', 'p-0007', '--purpose', 'care');
  expect(opened.stdout).toContain(marker('personal'));
  expect(opened.stdout).not.toContain(marker('restricted'));
  const shown = await command('dead-letters', 'show', String(list.items[0]?.['id']));
  expect(shown.code).toBe(0);
  await nodetool(home, ['flush']);
  places = placesOf(spellingsOf(CLEAR));
});

describe('a marker that is not sensitive', () => {
  it('is found where the search looks: on the topic, in the commit log and in the table', () => {
    expect(places.some((place) => place.startsWith('kafka/'))).toBe(true);
    expect(places.some((place) => place.includes('commit'))).toBe(true);
    expect(places.some((place) => place.startsWith('cassandra/') && !place.includes('commit'))).toBe(true);
  });

  it('would be found in any of its spellings', () => {
    const scratchFolder = files.folder;
    for (const spelling of secretSpellings) files.file(`spelling-${spelling.toString('hex').slice(0, 24)}`, spelling);
    expect(filesWith(scratchFolder, secretSpellings).length).toBeGreaterThan(secretSpellings.length);
    for (let shift = 0; shift < 3; shift += 1) {
      const text = Buffer.from(`${'.'.repeat(shift)}${marker('shifted')}`).toString('base64');
      expect(spellingsOf(SECRET).some((spelling) => text.includes(spelling.toString('latin1')))).toBe(true);
    }
  });
});

describe('a sensitive marker', () => {
  it('is in the input, eight times', () => {
    expect(readFileSync(`${files.folder}/marked.csv`, 'utf8').split(SECRET)).toHaveLength(9);
    expect(input).toContain(WEIGHT);
  });

  it('is in no file of the home: topics, dead letters, tables, commit log, logs, traces, spool, positions', () => {
    expect(placesOf(secretSpellings)).toEqual([]);
  });

  it('is in nothing that a command says of the run', () => {
    for (const { stdout, stderr } of said) expect(`${stdout}${stderr}`).not.toContain(SECRET);
  });
});
