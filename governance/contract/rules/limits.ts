import { isIP, isIPv4, isIPv6 } from 'node:net';
import { Fault } from '../cql/fault.ts';
import { compareDecimals, decimalOf, decimalText, isMultipleOf, parseDecimal, type Decimal } from '../cql/decimal.ts';
import type { CqlType, CqlValue, LogicalType, Spelling } from '../cql/cql-type.ts';
import { pathText, type Path, type Problems } from '../document/problems.ts';
import { safePattern } from './pattern.ts';
import type { ValueRule } from './property-model.ts';

const LARGEST_FLOAT = 3.4028234663852886e38;

/** Formats of whole numbers: bits, and whether there is a sign. */
const INTEGER_FORMATS: Readonly<Record<string, readonly [bigint, bigint]>> = Object.fromEntries(
  [8n, 16n, 32n, 64n, 128n].flatMap((bits) => [
    [`i${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
    [`u${bits}`, [0n, 2n ** bits - 1n]],
  ]),
);

/** Formats of text that can be checked. Others, such as `password`, are hints for people. */
const TEXT_FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  email: (text) =>
    text.length <= 254 && /^[^\s@<>"(),:;\\[\]]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z0-9-]{2,63}$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text),
  uri: (text) => URL.canParse(text),
  hostname: (text) => text.length <= 253 && /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,126}$/.test(text),
  ip: (text) => isIP(text) !== 0,
  ipv4: isIPv4,
  ipv6: isIPv6,
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
};

const COMPARISONS: Readonly<Record<string, { holds: (order: number) => boolean; detail: string }>> = {
  minimum: { holds: (order) => order >= 0, detail: 'below the minimum' },
  maximum: { holds: (order) => order <= 0, detail: 'above the maximum' },
  exclusiveMinimum: { holds: (order) => order > 0, detail: 'not above the exclusive minimum' },
  exclusiveMaximum: { holds: (order) => order < 0, detail: 'not below the exclusive maximum' },
};

interface Subject {
  readonly type: CqlType;
  readonly logicalType: LogicalType;
  readonly spelling: Spelling;
}

type RuleMaker = (given: unknown, subject: Subject) => ValueRule | { readonly problem: string } | 'not enforced';

/** Options of each logical type (ODCS v3.1.0), and how each becomes a rule. `format` of dates is part of reading, not a rule. */
const NUMBER_OPTIONS: Readonly<Record<string, RuleMaker>> = {
  ...Object.fromEntries(Object.keys(COMPARISONS).map((name) => [name, comparison(name)])),
  multipleOf,
  format: numberFormat,
};
const TIME_OPTIONS: Readonly<Record<string, RuleMaker>> = {
  ...Object.fromEntries(Object.keys(COMPARISONS).map((name) => [name, comparison(name)])),
  format: () => 'not enforced',
};
const OPTIONS: Readonly<Record<LogicalType, Readonly<Record<string, RuleMaker>>>> = {
  string: { minLength: length('minLength'), maxLength: length('maxLength'), pattern, format: textFormat },
  number: NUMBER_OPTIONS,
  integer: NUMBER_OPTIONS,
  boolean: {},
  date: TIME_OPTIONS,
  timestamp: { ...TIME_OPTIONS, timezone: () => 'not enforced', defaultTimezone: utcOnly },
};

/** Compiles a property's `logicalTypeOptions` into rules on its converted value. */
export function limitRules(
  options: Readonly<Record<string, unknown>>,
  subject: Subject,
  path: Path,
  notes: { readonly problems: Problems; readonly notEnforced: string[] },
): readonly ValueRule[] {
  const known = OPTIONS[subject.logicalType];
  return Object.entries(options).flatMap(([name, given]) => {
    const here = [...path, 'logicalTypeOptions', name];
    const maker = Object.hasOwn(known, name) ? known[name] : undefined;
    if (maker === undefined) {
      const names = Object.keys(known).join(', ') || 'none';
      notes.problems.add(here, `${subject.logicalType} has no option "${name}"; it has: ${names}`);
      return [];
    }
    const rule = maker(given, subject);
    if (typeof rule === 'function') return [rule];
    if (rule === 'not enforced') {
      if (!(name === 'format' && subject.spelling.format !== undefined)) notes.notEnforced.push(pathText(here));
    } else notes.problems.add(here, rule.problem);
    return [];
  });
}

function comparison(name: string): RuleMaker {
  return (given, { type, spelling }) => {
    const { holds, detail } = COMPARISONS[name] ?? { holds: () => true, detail: name };
    const limit = limitValue(given, type, spelling);
    if (limit === undefined) return { problem: `${JSON.stringify(given)} is no ${type.name}` };
    const fault = new Fault('VALUE_OUT_OF_RANGE', detail);
    return (value) => (holds(compareValues(value, limit)) ? undefined : fault);
  };
}

/** A limit is of the value's own type, but one of whole numbers may be any number. */
function limitValue(given: unknown, type: CqlType, spelling: Spelling): CqlValue | undefined {
  if (type.name === 'int' || type.name === 'bigint') return typeof given === 'number' ? given : undefined;
  const limit = type.fromSource(given, spelling);
  return limit instanceof Fault ? undefined : limit;
}

function compareValues(a: CqlValue, b: CqlValue): number {
  if (typeof a === 'object' && typeof b === 'object') return compareDecimals(a, b);
  // Numbers and bigints compare exactly with one another.
  return a < b ? -1 : a > b ? 1 : 0;
}

function multipleOf(given: unknown): ReturnType<RuleMaker> {
  const step = typeof given === 'number' && given > 0 ? parseDecimal(String(given)) : undefined;
  if (step === undefined) return { problem: 'must be a number above zero' };
  const fault = new Fault('VALUE_OUT_OF_RANGE', 'not a multiple of what the contract says');
  return (value) => {
    const exact = exactOf(value);
    return exact !== undefined && isMultipleOf(exact, step) ? undefined : fault;
  };
}

/** A double counts as the shortest decimal that names it: 0.3 is a multiple of 0.1. */
function exactOf(value: CqlValue): Decimal | undefined {
  if (typeof value === 'object') return value;
  return typeof value === 'bigint' ? decimalOf(value, 0) : parseDecimal(String(value));
}

function numberFormat(given: unknown, { logicalType }: Subject): ReturnType<RuleMaker> {
  const fault = new Fault('VALUE_OUT_OF_RANGE', `does not fit the format ${String(given)}`);
  if (logicalType === 'number') {
    if (given === 'f64') return () => undefined;
    if (given !== 'f32') return { problem: 'must be f32 or f64' };
    return (value) =>
      Math.abs(Number(typeof value === 'object' ? decimalText(value) : value)) <= LARGEST_FLOAT ? undefined : fault;
  }
  const range = typeof given === 'string' && Object.hasOwn(INTEGER_FORMATS, given) ? INTEGER_FORMATS[given] : undefined;
  if (range === undefined) return { problem: `must be one of ${Object.keys(INTEGER_FORMATS).join(', ')}` };
  const [least, most] = range;
  return (value) => {
    const whole = wholeOf(value);
    return whole !== undefined && whole >= least && whole <= most ? undefined : fault;
  };
}

function wholeOf(value: CqlValue): number | bigint | undefined {
  if (typeof value === 'object') return value.scale === 0 ? value.unscaled : undefined;
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
}

/** The value of a text property; other types have no options of text. */
function textOf(value: CqlValue): string {
  return typeof value === 'string' ? value : '';
}

/** Length in Unicode code points, as JSON Schema counts. */
function length(name: 'minLength' | 'maxLength'): RuleMaker {
  return (given) => {
    if (typeof given !== 'number' || !Number.isInteger(given) || given < 0)
      return { problem: 'must be a whole number from 0' };
    const fault = new Fault(
      'VALUE_OUT_OF_RANGE',
      name === 'minLength' ? 'shorter than allowed' : 'longer than allowed',
    );
    return (value) => {
      const points = codePoints(textOf(value));
      return (name === 'minLength' ? points >= given : points <= given) ? undefined : fault;
    };
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // The second half of a pair belongs to the first.
    if (unit < 0xdc00 || unit > 0xdfff) count += 1;
  }
  return count;
}

function pattern(given: unknown): ReturnType<RuleMaker> {
  const compiled = safePattern(given);
  if ('problem' in compiled) return compiled;
  const fault = new Fault('VALUE_OUT_OF_RANGE', 'does not match the pattern');
  return (value) => (compiled.matches(textOf(value)) ? undefined : fault);
}

function textFormat(given: unknown): ReturnType<RuleMaker> {
  const check = typeof given === 'string' && Object.hasOwn(TEXT_FORMATS, given) ? TEXT_FORMATS[given] : undefined;
  if (check === undefined) return 'not enforced';
  const fault = new Fault('VALUE_OUT_OF_RANGE', `not of the format ${String(given)}`);
  return (value) => (check(textOf(value)) ? undefined : fault);
}

function utcOnly(given: unknown): ReturnType<RuleMaker> {
  if (given === 'Etc/UTC' || given === 'UTC') return () => undefined;
  return { problem: 'only UTC is read where a text has no zone; write the zone into the values' };
}
