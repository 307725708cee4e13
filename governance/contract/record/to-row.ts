import type { BoundValue } from '../../../core/record.ts';
import type { RowOutcome } from '../compiled.ts';
import { Fault, notOfType } from '../cql/fault.ts';
import type { CqlTypeName, CqlValue } from '../cql/cql-type.ts';
import { Slab } from '../cql/slab.ts';
import { isKey } from '../rules/property-model.ts';
import { canonicalOf } from './check.ts';
import { compileDerive } from './derive-step.ts';
import type { PlannedField, RecordPlan } from './plan.ts';
import { rawText, rejection, type Slots } from './read-step.ts';

const NO_WARNINGS: readonly string[] = [];
const MISSING = new Fault('VALUE_MISSING', 'the value is required');
const NOT_SEALED = new Fault('SEALED_FIELD_MALFORMED', 'a sealed field is text');
const ABSENCE_NOT_SEALED = new Fault('SEALED_FIELD_MALFORMED', 'an absent value is sealed too in this field');
const KEY_EMPTY = notOfType('a key value is empty');

/** Types whose values the driver takes as they are: see `BoundValue`. */
const BOUND_AS_THEY_ARE: ReadonlySet<CqlTypeName> = new Set(['text', 'double', 'int', 'boolean']);

/**
 * Compiles the worker's half: from a message to bound column values. Sealed fields pass through as they are. What the
 * source checked and the message's code vouches for is not checked again; that it has its type is.
 */
export function compileToRow(plan: RecordPlan): (message: Readonly<Record<string, unknown>>) => RowOutcome {
  const reads = plan.message.map((planned) => ({
    name: planned.field.name,
    property: planned.field.property,
    slot: planned.slot,
    read: compileMessageRead(planned),
  }));
  const derives = plan.derivations.atWorker.map(compileDerive);
  const key = [...plan.keys.partition, ...plan.keys.clustering];
  const slab = new Slab();
  const encoded = plan.properties.filter(
    ({ type, sealedAs }) => sealedAs === undefined && !BOUND_AS_THEY_ARE.has(type.name),
  );
  const columns = plan.properties.length;
  const slotCount = columns + plan.derivations.rawFields.length;

  return (message) => {
    const slots: Slots = new Array<null>(slotCount).fill(null);
    let warnings: string[] | undefined;
    const warn = (property: string): void => {
      (warnings ??= []).push(property);
    };
    for (const { name, property, slot, read } of reads) {
      const value = read(message[name]);
      if (value instanceof Fault) return { ok: false, rejection: rejection(property, value) };
      slots[slot] = value;
    }
    for (const step of derives) {
      const { property, slot, judge } = step;
      const value = step.evaluate(slots);
      if (value instanceof Fault) return { ok: false, rejection: rejection(property, value) };
      const fault = judge?.(value, undefined, warn);
      if (fault !== undefined) return { ok: false, rejection: rejection(property, fault) };
      slots[slot] = value;
    }
    const keyTexts = key.map((property) => canonicalOf(property, slots));
    // The slots become the bound values: the properties come first in them, in the order of the columns.
    const values = (slotCount === columns ? slots : slots.slice(0, columns)) as BoundValue[];
    for (const { slot, type } of encoded) {
      const value = slots[slot];
      if (value !== null && value !== undefined) values[slot] = type.encode(value, slab);
    }
    return { ok: true, values, key: keyTexts, warnings: warnings ?? NO_WARNINGS };
  };
}

/** A field that a message lacks counts as null: what must not be null is refused either way. */
function compileMessageRead({ property, field }: PlannedField): (json: unknown) => CqlValue | null | Fault {
  if (property === undefined) return rawText;
  const { type, spelling, absenceSensitive } = property;
  const required = property.required || isKey(property) || property.dataSubject;
  if (field.sealedAs !== undefined) {
    return (json) => {
      if (json === null || json === undefined) return required ? MISSING : absenceSensitive ? ABSENCE_NOT_SEALED : null;
      return typeof json === 'string' ? json : NOT_SEALED;
    };
  }
  const isKeyText = type.name === 'text' && isKey(property);
  return (json) => {
    if (json === null || json === undefined) return required ? MISSING : null;
    return isKeyText && json === '' ? KEY_EMPTY : type.fromMessage(json, spelling);
  };
}
