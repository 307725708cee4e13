import { ExpressionProblem } from '../failure.ts';
import { MILLISECONDS_PER_DAY } from '../types/calendar.ts';
import { decimalType, typeName, type Decimal, type SqlValue, type Type } from '../types/type.ts';
import { convert, strict, type Bound } from './bound.ts';

const INT: Type = { name: 'int' };
const DATE: Type = { name: 'date' };
const TIMESTAMP: Type = { name: 'timestamp' };
/** Seconds carry their fraction, six digits of it. */
const SECONDS = decimalType(8, 6);
const MILLISECONDS_PER_MINUTE = 60_000;
const DAYS_PER_WEEK = 7;

interface Field {
  /** What the value is cast to before the field is read. */
  readonly from: Type;
  readonly type: Type;
  readonly read: (value: number) => SqlValue;
}

const dateField = (read: (date: Date, days: number) => number): Field => ({
  from: DATE,
  type: INT,
  read: (days) => read(new Date(days * MILLISECONDS_PER_DAY), days),
});
const clockField = (read: (time: Date) => number): Field => ({
  from: TIMESTAMP,
  type: INT,
  read: (milliseconds) => read(new Date(milliseconds)),
});

const dayOfWeekFromSunday = dateField((date) => date.getUTCDay() + 1);
const dayOfWeekFromMonday = dateField((_date, days) => isoWeekday(days));
const dayOfYear = dateField((date, days) => days - firstOfYear(date.getUTCFullYear()) + 1);

/** The fields of EXTRACT, in UTC. Weeks are those of ISO 8601. */
const FIELDS: Readonly<Partial<Record<string, Field>>> = {
  YEAR: dateField((date) => date.getUTCFullYear()),
  YEAROFWEEK: dateField((_date, days) => thursdayOfWeek(days).getUTCFullYear()),
  QUARTER: dateField((date) => Math.floor(date.getUTCMonth() / 3) + 1),
  MONTH: dateField((date) => date.getUTCMonth() + 1),
  WEEK: dateField((_date, days) => isoWeek(days)),
  DAY: dateField((date) => date.getUTCDate()),
  DAYOFWEEK: dayOfWeekFromSunday,
  DOW: dayOfWeekFromSunday,
  DAYOFWEEK_ISO: dayOfWeekFromMonday,
  DOW_ISO: dayOfWeekFromMonday,
  DOY: dayOfYear,
  HOUR: clockField((time) => time.getUTCHours()),
  MINUTE: clockField((time) => time.getUTCMinutes()),
  SECOND: { from: TIMESTAMP, type: SECONDS, read: secondsOf },
};

/** Binds EXTRACT(field FROM value); text is read as a date or time. */
export function bindExtract(at: number, name: string, operand: Bound): Bound {
  const field = FIELDS[name];
  if (field === undefined)
    throw new ExpressionProblem(at, `EXTRACT knows no field ${name}`, `known: ${Object.keys(FIELDS).join(', ')}`);
  if (!['date', 'timestamp', 'text', 'null'].includes(operand.type.name))
    throw new ExpressionProblem(at, `EXTRACT needs a date or a time, not ${typeName(operand.type)}`);
  return strict(at, field.type, [convert(operand, field.from)], field.read);
}

function isoWeekday(days: number): number {
  // 1970-01-01 was a Thursday, the fourth day of its week.
  return ((((days + 3) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK) + 1;
}

/** A week belongs to the year that its Thursday lies in (ISO 8601). */
function thursdayOfWeek(days: number): Date {
  return new Date((days - isoWeekday(days) + 4) * MILLISECONDS_PER_DAY);
}

function isoWeek(days: number): number {
  const thursday = thursdayOfWeek(days);
  const dayOfItsYear = thursday.getTime() / MILLISECONDS_PER_DAY - firstOfYear(thursday.getUTCFullYear());
  return Math.floor(dayOfItsYear / DAYS_PER_WEEK) + 1;
}

function firstOfYear(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1) / MILLISECONDS_PER_DAY;
}

function secondsOf(milliseconds: number): Decimal {
  const inMinute = ((milliseconds % MILLISECONDS_PER_MINUTE) + MILLISECONDS_PER_MINUTE) % MILLISECONDS_PER_MINUTE;
  return { unscaled: BigInt(inMinute) * 1000n, scale: SECONDS.scale };
}
