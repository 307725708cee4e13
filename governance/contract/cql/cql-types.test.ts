import { readFileSync } from 'node:fs';
import { types } from 'cassandra-driver';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CQL_TYPES, defaultTypeOf } from './cql-types.ts';
import type { CqlTypeName, CqlValue, Spelling } from './cql-type.ts';
import { decimalOf } from './decimal.ts';
import { Fault } from './fault.ts';
import { Slab } from './slab.ts';
import { compileTimeFormat } from './time-format.ts';

interface Vector {
  readonly type: CqlTypeName;
  readonly source: string;
  readonly canonical: string;
  readonly json: string | number | boolean;
  readonly cql: string;
}

const { vectors } = JSON.parse(readFileSync(`${import.meta.dirname}/vectors.json`, 'utf8')) as {
  vectors: readonly Vector[];
};
const SECONDS: Spelling = { epochUnit: 's', format: undefined };
const slab = new Slab();

function value(type: CqlTypeName, raw: unknown, spelling = SECONDS): CqlValue {
  const read = CQL_TYPES[type].fromSource(raw, spelling);
  if (read instanceof Fault) throw new Error(`${type}: ${read.detail}`);
  return read;
}

const encoded = (type: CqlTypeName, of: CqlValue): string => CQL_TYPES[type].encode(of, slab).toString('hex');

describe('the published vectors', () => {
  it.each(vectors)('$type $source', ({ type, source, canonical, json, cql }) => {
    const read = value(type, source);
    const row = CQL_TYPES[type];
    expect(row.canonical(read)).toBe(canonical);
    expect(row.toJson(read)).toEqual(json);
    expect(encoded(type, read)).toBe(cql);
    expect(row.decode(Buffer.from(cql, 'hex'))).toEqual(read);
    expect(row.fromMessage(JSON.parse(JSON.stringify(row.toJson(read))), SECONDS)).toEqual(read);
  });
});

describe('what is not of a type', () => {
  const refused: readonly (readonly [CqlTypeName, readonly unknown[]])[] = [
    [
      'double',
      ['1,5', 'NaN', 'Infinity', '-Infinity', '0x10', '', ' 1', '1 ', '1e', 'e5', '.', '1e999', '1_000', '--1', '½'],
    ],
    ['double', [NaN, Infinity, true, {}, [], '１']],
    ['int', ['2147483648', '-2147483649', '1.5', '1e-1', '', 'abc', 2 ** 31, 0.5, true, '0x10']],
    ['bigint', ['9223372036854775808', '-9223372036854775809', '1.5', '', '1e19', 2 ** 53, 1.5, '1e999999', '1 000']],
    ['text', [1.5, true, {}, ['a'], '\ud800', 2 ** 60]],
    ['boolean', ['', 'maybe', '2', 2, {}, 'tru']],
    ['date', ['2016-02-30', '2015-02-29', '2016-13-01', '2016-1-1', '0000-01-01', '01.02.2016', '', 1451606400, null]],
    ['timestamp', ['', 'yesterday', '2016-01-01T25:00:00Z', '2016-01-01T00:60:00Z', '2016-02-30T00:00:00Z']],
    ['timestamp', ['2016-01-01T00:00:00+19:00', '2016-01-01t00:00:00', '99999999999999', '1e99', 1e18, true, {}]],
    ['decimal', ['1,5', '', '.', 'NaN', '1e5000', '9'.repeat(1100), true, {}]],
  ];
  it.each(refused.flatMap(([type, raws]) => raws.map((raw) => [type, raw] as const)))('%s %j', (type, raw) => {
    const read = CQL_TYPES[type].fromSource(raw, SECONDS);
    expect(read).toBeInstanceOf(Fault);
    const { code, detail } = read as Fault;
    expect(code).toBe('VALUE_NOT_OF_TYPE');
    if (typeof raw === 'string' && raw.length > 3) expect(detail).not.toContain(raw);
  });

  it('takes JSON scalars of the type as they are', () => {
    expect(value('double', 5)).toBe(5);
    expect(value('double', -0)).toBe(0);
    expect(Object.is(value('double', -0), 0)).toBe(true);
    expect(value('bigint', Number.MAX_SAFE_INTEGER)).toBe(9007199254740991n);
    expect(value('boolean', false)).toBe(false);
    expect(value('text', 42)).toBe('42');
    expect(value('decimal', 0.1)).toEqual({ unscaled: 1n, scale: 1 });
  });

  it('refuses a message whose field is of another JSON type', () => {
    const cases: readonly (readonly [CqlTypeName, unknown])[] = [
      ['double', '1.5'],
      ['int', '1'],
      ['int', 1.5],
      ['text', 1],
      ['boolean', 'true'],
      ['date', 17],
      ['timestamp', true],
      ['decimal', false],
    ];
    for (const [type, json] of cases) expect(CQL_TYPES[type].fromMessage(json, SECONDS)).toBeInstanceOf(Fault);
  });
});

describe('timestamps', () => {
  it.each([
    ['s', '1451624400.5', 1451624400500],
    ['s', '1451624400.123', 1451624400123],
    ['s', '1.4516244E9', 1451624400000],
    ['ms', '1451624400123', 1451624400123],
    ['ms', '1451624400123.9', 1451624400123],
    ['us', '1451624400123999', 1451624400123],
    ['us', '-1', -1],
  ] as const)('epoch in %s: %s', (epochUnit, source, milliseconds) => {
    const spelling = { epochUnit, format: undefined };
    const read = value('timestamp', source, spelling);
    expect(read).toBe(milliseconds);
    // Both sides of the topic must find the same time, or a record's key would differ.
    const sent = JSON.stringify(CQL_TYPES.timestamp.toMessage(read, source, spelling));
    expect(CQL_TYPES.timestamp.fromMessage(JSON.parse(sent), spelling)).toBe(milliseconds);
  });

  it.each([
    ['2016-01-01', 1451606400000],
    ['2016-01-01T05:00Z', 1451624400000],
    ['2016-01-01 05:00:00', 1451624400000],
    ['2016-01-01T05:00:00,5Z', 1451624400500],
    ['2016-01-01T00:00:00-0500', 1451624400000],
    ['2016-01-01T10:30:00+05:30', 1451624400000],
    ['0001-01-01T00:00:00Z', -62135596800000],
    ['9999-12-31T23:59:59.999Z', 253402300799999],
  ] as const)('ISO 8601: %s', (source, milliseconds) => expect(value('timestamp', source)).toBe(milliseconds));

  it.each([
    ['dd.MM.yyyy HH:mm', '01.01.2016 05:00', 1451624400000],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '2016-01-01T06:00:00.250+01:00', 1451624400250],
    ['d MMM yyyy h:mm a', '1 Jan 2016 5:00 AM', 1451624400000],
    ['M/d/yyyy hh:mm a', '1/1/2016 12:00 PM', 1451649600000],
    ['yyyyMMddHHmmss', '20160101050000', 1451624400000],
  ] as const)('format %s', (pattern, source, milliseconds) => {
    const format = compileTimeFormat(pattern);
    if ('problem' in format) throw new Error(format.problem);
    expect(value('timestamp', source, { epochUnit: 's', format })).toBe(milliseconds);
    expect(CQL_TYPES.timestamp.fromSource(`${source} `, { epochUnit: 's', format })).toBeInstanceOf(Fault);
  });

  it.each(['yyyy-MM', 'QQQ yyyy-MM-dd', "yyyy-MM-dd 'open", 'yyyy-MM-dd yyyy'])('refuses the format %s', (pattern) =>
    expect(compileTimeFormat(pattern)).toHaveProperty('problem'),
  );
});

/** The driver's own codecs; its type declarations leave them out. */
const driver = types as unknown as {
  readonly Long: { fromString(text: string): unknown; toBuffer(value: unknown): Buffer };
  readonly Integer: { fromString(text: string): unknown };
  readonly BigDecimal: { new (unscaled: unknown, scale: number): object; toBuffer(value: object): Buffer };
};
const long = (whole: number | bigint): string =>
  driver.Long.toBuffer(driver.Long.fromString(String(whole))).toString('hex');

describe('encoding', () => {
  it("is what Cassandra's own driver makes of the same value", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (whole) => {
        expect(encoded('bigint', whole)).toBe(long(whole));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), fc.nat(40), (unscaled, scale) => {
        const oracle = new driver.BigDecimal(driver.Integer.fromString(String(unscaled)), scale);
        const ours = CQL_TYPES.decimal.encode({ unscaled, scale }, slab);
        expect(ours.toString('hex')).toBe(driver.BigDecimal.toBuffer(oracle).toString('hex'));
      }),
    );
    fc.assert(
      fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (day) => {
        const days = value('date', day.toISOString().slice(0, 10));
        expect(encoded('date', days)).toBe(types.LocalDate.fromDate(day).toBuffer().toString('hex'));
        expect(encoded('timestamp', day.getTime())).toBe(long(day.getTime()));
      }),
    );
  });

  it('comes back by decoding, and by the canonical text', () => {
    const arbitraries: Readonly<Record<CqlTypeName, fc.Arbitrary<CqlValue>>> = {
      double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      int: fc.integer(),
      bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      text: fc.string({ unit: 'grapheme' }),
      boolean: fc.boolean(),
      date: fc.integer({ min: -719162, max: 2932896 }),
      timestamp: fc.integer({ min: -62135596800000, max: 253402300799999 }),
      decimal: fc.tuple(fc.bigInt(), fc.nat(30)).map(([unscaled, scale]) => decimalOf(unscaled, scale)),
    };
    for (const row of Object.values(CQL_TYPES)) {
      fc.assert(
        fc.property(arbitraries[row.name], (given) => {
          expect(row.decode(row.encode(given, slab))).toEqual(given);
          expect(row.fromSource(row.canonical(given), SECONDS)).toEqual(given);
          expect(row.fromMessage(JSON.parse(JSON.stringify(row.toJson(given))), SECONDS)).toEqual(given);
        }),
      );
    }
  });

  it('leaves values as they are when a slab is full and the next begins', () => {
    const small = new Slab();
    const texts = Array.from({ length: 3000 }, (_, index) => `value ${index} ${'ä'.repeat(index % 50)}`);
    const buffers = texts.map((text) => small.text(text));
    expect(buffers.map((buffer) => buffer.toString('utf8'))).toEqual(texts);
    const large = 'x'.repeat(200_000);
    expect(small.text(large).toString('utf8')).toBe(large);
  });
});

describe('the default type of a logical type', () => {
  it.each([
    ['string', 'text'],
    ['number', 'double'],
    ['integer', 'bigint'],
    ['boolean', 'boolean'],
    ['date', 'date'],
    ['timestamp', 'timestamp'],
  ] as const)('%s is %s', (logical, name) => expect(defaultTypeOf(logical).name).toBe(name));
});
