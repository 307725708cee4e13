import { dateText, inRange, parseDate, parseTimestamp, timestampText } from './calendar.ts';
import { EPOCH_UNITS, type CqlType, type CqlTypeName, type LogicalType, type Spelling } from './cql-type.ts';
import { decimalOf, decimalText, parseDecimal, varintBytes, varintValue, type Decimal } from './decimal.ts';
import { notOfType, type Fault } from './fault.ts';
import { parseDouble, parseWhole } from './number-text.ts';

const INT_MINIMUM = -(2 ** 31);
const INT_MAXIMUM = 2 ** 31 - 1;
const BIGINT_MINIMUM = -(2n ** 63n);
const BIGINT_MAXIMUM = 2n ** 63n - 1n;
/** CQL counts dates from this many days before the epoch. */
const DATE_OFFSET = 2 ** 31;
const MILLISECONDS_PER_DAY = 86_400_000;

/** Booleans as SQL casts them (Spark SQL, ANSI mode); letter case does not matter. */
const BOOLEAN_TEXTS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((text) => [text, true] as const),
  ...['false', 'f', 'no', 'n', '0'].map((text) => [text, false] as const),
]);

const FAULTS = {
  double: notOfType('not a number in decimal or exponent form'),
  whole: notOfType('not a whole number'),
  int: notOfType('does not fit in 32 bits'),
  bigint: notOfType('does not fit in 64 bits'),
  text: notOfType('not text'),
  surrogate: notOfType('text with a lone surrogate has no UTF-8 form'),
  boolean: notOfType('not true or false'),
  date: notOfType('not a date of the form YYYY-MM-DD'),
  dateFormat: notOfType('not a date of the format in the contract'),
  timestamp: notOfType('not an ISO 8601 timestamp and not an epoch number'),
  timestampFormat: notOfType('not a timestamp of the format in the contract'),
  timestampRange: notOfType('outside the years 0001 to 9999'),
  decimal: notOfType('not a decimal number'),
} as const;

const double: CqlType<number> = {
  name: 'double',
  logicalTypes: ['number'],
  fromSource: (raw) => {
    const value = typeof raw === 'string' ? parseDouble(raw) : raw;
    return typeof value === 'number' && Number.isFinite(value) ? value + 0 : FAULTS.double;
  },
  toMessage: (value) => value,
  fromMessage: (json) => (typeof json === 'number' ? json + 0 : FAULTS.double),
  toJson: (value) => value,
  canonical: (value) => String(value),
  encode: (value, slab) => slab.double(value),
  decode: (bytes) => bytes.readDoubleBE(0),
};

const int: CqlType<number> = {
  name: 'int',
  logicalTypes: ['integer'],
  fromSource: (raw) => {
    const whole = wholeNumber(raw);
    if (whole === undefined) return FAULTS.whole;
    return whole >= INT_MINIMUM && whole <= INT_MAXIMUM ? Number(whole) : FAULTS.int;
  },
  toMessage: (value) => value,
  fromMessage: (json) => {
    if (typeof json !== 'number' || !Number.isInteger(json)) return FAULTS.whole;
    return json >= INT_MINIMUM && json <= INT_MAXIMUM ? json + 0 : FAULTS.int;
  },
  toJson: (value) => value,
  canonical: (value) => String(value),
  encode: (value, slab) => slab.int32(value),
  decode: (bytes) => bytes.readInt32BE(0),
};

const bigint: CqlType<bigint> = {
  name: 'bigint',
  logicalTypes: ['integer'],
  fromSource: (raw) => bigintOf(wholeNumber(raw)),
  toMessage: (value) => String(value),
  fromMessage: (json) => bigintOf(wholeNumber(json)),
  toJson: (value) => String(value),
  canonical: (value) => String(value),
  encode: (value, slab) => slab.int64(value),
  decode: (bytes) => bytes.readBigInt64BE(0),
};

const text: CqlType<string> = {
  name: 'text',
  logicalTypes: ['string'],
  fromSource: (raw) => {
    if (typeof raw === 'string') return raw.isWellFormed() ? raw : FAULTS.surrogate;
    // A JSON number is text where that loses nothing: 1.0 and 1 would be told apart by a reader, and are not.
    return Number.isSafeInteger(raw) ? String(raw) : FAULTS.text;
  },
  toMessage: (value) => value,
  fromMessage: (json) => (typeof json === 'string' ? json : FAULTS.text),
  toJson: (value) => value,
  canonical: (value) => value,
  encode: (value, slab) => slab.text(value),
  decode: (bytes) => bytes.toString('utf8'),
};

const boolean: CqlType<boolean> = {
  name: 'boolean',
  logicalTypes: ['boolean'],
  fromSource: (raw) => {
    if (typeof raw === 'boolean') return raw;
    if (typeof raw !== 'string' && typeof raw !== 'number') return FAULTS.boolean;
    return BOOLEAN_TEXTS.get(String(raw).toLowerCase()) ?? FAULTS.boolean;
  },
  toMessage: (value) => value,
  fromMessage: (json) => (typeof json === 'boolean' ? json : FAULTS.boolean),
  toJson: (value) => value,
  canonical: (value) => String(value),
  encode: (value, slab) => slab.byte(value ? 1 : 0),
  decode: (bytes) => bytes[0] === 1,
};

const date: CqlType<number> = {
  name: 'date',
  logicalTypes: ['date'],
  fromSource: (raw, { format }) => {
    if (format === undefined) return typeof raw === 'string' ? (parseDate(raw) ?? FAULTS.date) : FAULTS.date;
    const milliseconds = typeof raw === 'string' ? format.parse(raw) : undefined;
    return milliseconds === undefined ? FAULTS.dateFormat : Math.floor(milliseconds / MILLISECONDS_PER_DAY);
  },
  toMessage: (value) => dateText(value),
  fromMessage: (json) => (typeof json === 'string' ? (parseDate(json) ?? FAULTS.date) : FAULTS.date),
  toJson: (value) => dateText(value),
  canonical: (value) => dateText(value),
  encode: (value, slab) => slab.uint32(value + DATE_OFFSET),
  decode: (bytes) => bytes.readUInt32BE(0) - DATE_OFFSET,
};

const timestamp: CqlType<number> = {
  name: 'timestamp',
  logicalTypes: ['timestamp'],
  fromSource: (raw, spelling) => {
    if (typeof raw === 'number') return epochMilliseconds(raw, spelling);
    if (typeof raw !== 'string') return FAULTS.timestamp;
    if (spelling.format !== undefined) return spelling.format.parse(raw) ?? FAULTS.timestampFormat;
    const epoch = parseDouble(raw);
    return epoch === undefined ? (parseTimestamp(raw) ?? FAULTS.timestamp) : epochMilliseconds(epoch, spelling);
  },
  toMessage: (value, raw, spelling) => {
    if (typeof raw === 'number') return raw;
    const epoch = typeof raw === 'string' && spelling.format === undefined ? parseDouble(raw) : undefined;
    return epoch ?? timestampText(value);
  },
  fromMessage: (json, spelling) => {
    if (typeof json === 'number') return epochMilliseconds(json, spelling);
    return typeof json === 'string' ? (parseTimestamp(json) ?? FAULTS.timestamp) : FAULTS.timestamp;
  },
  toJson: (value) => timestampText(value),
  canonical: (value) => timestampText(value),
  encode: (value, slab) => slab.safeInt64(value),
  decode: (bytes) => Number(bytes.readBigInt64BE(0)),
};

const decimal: CqlType<Decimal> = {
  name: 'decimal',
  logicalTypes: ['number', 'integer'],
  fromSource: (raw) => decimalFrom(raw),
  toMessage: (value) => decimalText(value),
  fromMessage: (json) => decimalFrom(json),
  toJson: (value) => decimalText(value),
  canonical: (value) => decimalText(value),
  encode: (value) => {
    const scale = Buffer.alloc(4);
    scale.writeInt32BE(value.scale);
    return Buffer.concat([scale, varintBytes(value.unscaled)]);
  },
  decode: (bytes) => decimalOf(varintValue(bytes.subarray(4)), bytes.readInt32BE(0)),
};

/** The CQL types of clear values, by name. A property's logical type without a physical one takes the first row that lists it. */
export const CQL_TYPES: Readonly<Record<CqlTypeName, CqlType>> = {
  double,
  bigint,
  int,
  text,
  boolean,
  date,
  timestamp,
  decimal,
};

/** The CQL type that a logical type has where the contract names none. */
export function defaultTypeOf(logicalType: LogicalType): CqlType {
  return Object.values(CQL_TYPES).find((type) => type.logicalTypes.includes(logicalType)) ?? text;
}

function wholeNumber(raw: unknown): bigint | undefined {
  if (typeof raw === 'string') return parseWhole(raw);
  // A number beyond 2^53 has lost digits already: a source gives such values as text.
  return Number.isSafeInteger(raw) ? BigInt(raw as number) : undefined;
}

function bigintOf(whole: bigint | undefined): bigint | Fault {
  if (whole === undefined) return FAULTS.whole;
  return whole >= BIGINT_MINIMUM && whole <= BIGINT_MAXIMUM ? whole : FAULTS.bigint;
}

function decimalFrom(raw: unknown): Decimal | Fault {
  const written = typeof raw === 'number' && Number.isFinite(raw) ? String(raw) : raw;
  return typeof written === 'string' ? (parseDecimal(written) ?? FAULTS.decimal) : FAULTS.decimal;
}

/**
 * Milliseconds of an epoch number. A fraction is first rounded to the microsecond, as a binary fraction is never exact; what
 * is below the millisecond is then cut off, as in ISO texts.
 */
function epochMilliseconds(epoch: number, spelling: Spelling): number | Fault {
  const perSecond = EPOCH_UNITS[spelling.epochUnit];
  const microseconds = Number.isInteger(epoch)
    ? epoch * (1_000_000 / perSecond)
    : Math.round((epoch * 1_000_000) / perSecond);
  const milliseconds = Math.floor(microseconds / 1000);
  return inRange(milliseconds) ? milliseconds + 0 : FAULTS.timestampRange;
}
