import type { JsonValue, Rejection } from '../../../core/record.ts';
import { Fault } from '../cql/fault.ts';
import type { CqlValue } from '../cql/cql-type.ts';
import { isKey, type PropertyModel } from '../rules/property-model.ts';

/** Values of a record in work, by slot: properties first, then raw fields. */
export type Slots = (CqlValue | null)[];

/** Faults that do not depend on a property. */
const MISSING = new Fault('VALUE_MISSING', 'the value is required');
const KEY_EMPTY = new Fault('VALUE_NOT_ALLOWED', 'a key value cannot be empty text');
const KEY_TOO_LONG = new Fault('VALUE_OUT_OF_RANGE', 'a key value is longer than Cassandra allows');

/** Cassandra's limit on a key component, in bytes. */
const KEY_LIMIT_BYTES = 65_535;

/** Reads one property's value as the source gives it: absent values become null, others are converted. */
export function compileReader(property: PropertyModel): (raw: unknown) => CqlValue | null | Fault {
  const { type, spelling, nullValues } = property;
  const named = nullValues.size > 0;
  return (raw) => {
    if (raw === null || raw === undefined) return null;
    if (named && (typeof raw === 'string' || typeof raw === 'number') && nullValues.has(String(raw))) return null;
    return type.fromSource(raw, spelling);
  };
}

/**
 * The rules that a property's converted value is held to. Returns the fault that sends the record away;
 * broken rules of severity `warning` are told to `warn`.
 */
export type Judge = (value: CqlValue | null, raw: unknown, warn: (property: string) => void) => Fault | undefined;

export function compileJudge(property: PropertyModel, required: boolean): Judge | undefined {
  const { limits, quality, name } = property;
  const isKeyText = property.type.name === 'text' && isKey(property);
  if (!required && limits.length === 0 && quality.length === 0) return undefined;
  const faultOf = (value: CqlValue): Fault | undefined => {
    if (isKeyText) {
      if (value === '') return KEY_EMPTY;
      if (Buffer.byteLength(value as string) > KEY_LIMIT_BYTES) return KEY_TOO_LONG;
    }
    for (const limit of limits) {
      const fault = limit(value);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
  return (value, raw, warn) => {
    if (value === null) {
      if (required) return MISSING;
    } else {
      const fault = faultOf(value);
      if (fault !== undefined) return fault;
    }
    for (const rule of quality) {
      if (!rule.broken(value, raw)) continue;
      if (rule.severity === 'error') return rule.fault;
      warn(name);
    }
    return undefined;
  };
}

/** A raw field as text for expressions: JSON scalars as they print, other JSON as its text. */
export function rawText(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  if (typeof raw === 'string') return raw;
  return JSON.stringify(raw);
}

/** A raw field as it travels: as the source gives it. */
export function rawJson(raw: unknown): JsonValue {
  return raw === undefined ? null : (raw as JsonValue);
}

export function rejection(property: string, fault: Fault): Rejection {
  return { code: fault.code, property, detail: fault.detail };
}
