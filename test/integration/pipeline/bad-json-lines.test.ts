import { beforeAll, describe, expect, it } from 'vitest';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn, type WardlineOutcome } from '../../support/wardline.ts';

const home = withStack().home.path;
const files = scratch();
const contract = contractVariant('clinic', files.folder, 'bad-json-lines');

/** One reading of a patient as JSON text; `change` replaces members by texts, which need not be JSON. */
function line(hour: number, change: Readonly<Record<string, string>> = {}): string {
  const members: Record<string, string> = {
    Patient: '"p-0042"',
    'Taken At': `"2024-03-01T${String(hour).padStart(2, '0')}:00:00Z"`,
    Device: '12',
    'Heart rate': '70',
    Systolic: '120',
    Diastolic: '80',
    Weight: '70.5',
    Born: '"04.07.1961"',
    Diagnosis: '"none"',
    Consent: 'true',
    Ward: '"north"',
    Room: '"1"',
    ...change,
  };
  return `{${Object.entries(members)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`;
}

/** Each line, and the code of its dead letter; without one it arrives. */
const LINES: readonly (readonly [string, string, string?])[] = [
  ['an ordinary reading', line(0)],
  ['an integer beyond 2^53 that fits its type', line(1, { Device: '9007199254740993' })],
  ['an integer beyond 2^63', line(2, { Device: '9223372036854775808' }), 'VALUE_NOT_OF_TYPE'],
  ['a sealed integer beyond its type', line(3, { 'Heart rate': '9007199254740993' }), 'VALUE_NOT_OF_TYPE'],
  ['a number of JavaScript, not of JSON', line(4, { Weight: 'NaN' }), 'ROW_MALFORMED'],
  ['a null where a value is required', line(5, { Born: 'null' }), 'VALUE_MISSING'],
  ['a missing member that is required', line(6).replace('"Born":"04.07.1961",', ''), 'VALUE_MISSING'],
  ['an object where a number belongs', line(7, { Systolic: '{"a":1}' }), 'VALUE_NOT_OF_TYPE'],
  ['a value that a quality rule refuses', line(8, { Ward: '"attic"' }), 'VALUE_NOT_ALLOWED'],
  ['a member that nobody asked for', line(9, { Extra: '"left out"' })],
  ['an array', '[1,2,3]', 'ROW_MALFORMED'],
  ['half an object', line(10).slice(0, 40), 'ROW_MALFORMED'],
  ['a value with a fraction of an exponent', line(11, { Systolic: '1.2E+02' })],
];

let outcome: WardlineOutcome;
let letters: WardlineOutcome['items'];

beforeAll(async () => {
  const path = files.file('lines.jsonl', `${LINES.map(([, text]) => text).join('\n')}\n`);
  outcome = await wardlineOn(home, ['run', '--contract', contract.path, '--source', 'jsonl', '--path', path]);
  letters = (await wardlineOn(home, ['dead-letters', 'list', '--contract', contract.path])).items;
});

describe('JSON lines with bad ones among good ones', () => {
  it('are all counted', () => {
    const dead = LINES.filter(([, , code]) => code !== undefined).length;
    expect(outcome.json).toMatchObject({
      records_read: LINES.length,
      records_stored: LINES.length - dead,
      duplicates: 0,
      dead_letters: dead,
    });
  });

  it.each(LINES.map(([name, , code], index) => ({ name, code: code ?? 'stored', position: index + 1 })))(
    '$name: $code',
    ({ code, position }) => {
      const letter = letters.find((candidate) => String(candidate['position']).endsWith(`:${position}`));
      expect(letter?.['code'] ?? 'stored').toBe(code);
    },
  );

  it('keep every digit of what arrives', async () => {
    const { items } = await wardlineOn(home, ['read', 'p-0042', '--contract', contract.path, '--purpose', 'care']);
    expect(items.map((item) => item['device']).toSorted()).toEqual(['12', '12', '12', '9007199254740993']);
    expect(items.map((item) => item['systolic']).toSorted()).toEqual([120, 120, 120, 120]);
  });
});
