import { asChecked, type JsonValue, type Raw } from '../../../core/record.ts';
import type { CheckOutcome } from '../compiled.ts';
import { Fault } from '../cql/fault.ts';
import { isKey, type PropertyModel } from '../rules/property-model.ts';
import { compileDerive } from './derive-step.ts';
import type { PlannedField, RecordPlan } from './plan.ts';
import { compileJudge, compileReader, rawJson, rawText, rejection, type Slots } from './read-step.ts';

const NO_WARNINGS: readonly string[] = [];

/** Compiles the source's half: from a raw record to clear values that fit the contract, its key and its data subject. */
export function compileCheck(plan: RecordPlan): (raw: Raw) => CheckOutcome {
  const fieldIndex = new Map(plan.sourceFields.map((field, index) => [field, index]));
  const reads = plan.properties.flatMap((property) => {
    if (property.origin.kind !== 'direct') return [];
    return [
      {
        name: property.name,
        slot: property.slot,
        index: fieldIndex.get(property.origin.field) ?? -1,
        read: compileReader(property),
        judge: compileJudge(property, property.required),
      },
    ];
  });
  const rawReads = plan.derivations.rawFields.map(({ name, slot }) => ({ slot, index: fieldIndex.get(name) ?? -1 }));
  const derives = plan.derivations.atSource.map(compileDerive);
  const writes = plan.message.map((planned) => compileWrite(planned, fieldIndex));
  const key = [...plan.keys.partition, ...plan.keys.clustering];
  const subject = plan.properties.find((property) => property.dataSubject);
  const subjectOf = compileSubject(subject, plan.contractSubject, fieldIndex);
  const slotCount = plan.properties.length + rawReads.length;

  return ({ values }) => {
    const slots: Slots = new Array<null>(slotCount).fill(null);
    let warnings: string[] | undefined;
    const warn = (property: string): void => {
      (warnings ??= []).push(property);
    };
    const refuse = (property: string, fault: Fault): CheckOutcome => ({
      ok: false,
      rejection: rejection(property, fault),
      subject: subjectOf(values),
    });
    for (const { name, slot, index, read, judge } of reads) {
      const raw = values[index];
      const value = read(raw);
      if (value instanceof Fault) return refuse(name, value);
      const fault = judge?.(value, raw, warn);
      if (fault !== undefined) return refuse(name, fault);
      slots[slot] = value;
    }
    for (const { slot, index } of rawReads) slots[slot] = rawText(values[index]);
    for (const step of derives) {
      const { property, slot, judge } = step;
      const value = step.evaluate(slots);
      if (value instanceof Fault) return refuse(property, value);
      const fault = judge?.(value, undefined, warn);
      if (fault !== undefined) return refuse(property, fault);
      slots[slot] = value;
    }
    return asChecked({
      ok: true,
      values: writes.map((write) => write(slots, values)),
      key: key.map((property) => canonicalOf(property, slots)),
      subject: subject === undefined ? plan.contractSubject : canonicalOf(subject, slots),
      warnings: warnings ?? NO_WARNINGS,
    });
  };
}

/** A key value's canonical text; the judges have seen to it that there is one. */
export function canonicalOf(property: PropertyModel, slots: Slots): string {
  const value = slots[property.slot];
  return value === null || value === undefined ? '' : property.type.canonical(value);
}

function compileWrite(
  { property, slot, field }: PlannedField,
  fieldIndex: ReadonlyMap<string, number>,
): (slots: Slots, raw: readonly unknown[]) => JsonValue {
  const index = fieldIndex.get(field.name) ?? -1;
  if (property === undefined) return (_slots, raw) => rawJson(raw[index]);
  const { type, spelling, sealedAs, origin } = property;
  // A sealed value is the property's, converted; a clear one stays the source's own, typed.
  if (sealedAs !== undefined || origin.kind === 'derived') {
    return (slots) => {
      const value = slots[slot];
      return value === null || value === undefined ? null : type.toJson(value);
    };
  }
  return (slots, raw) => {
    const value = slots[slot];
    return value === null || value === undefined ? null : type.toMessage(value, raw[index], spelling);
  };
}

/** The data subject of a record that is refused, where it can be read all the same: its dead letter is then sealed for it. */
function compileSubject(
  subject: PropertyModel | undefined,
  contractSubject: string,
  fieldIndex: ReadonlyMap<string, number>,
): (values: readonly unknown[]) => string | undefined {
  if (subject === undefined) return () => contractSubject;
  if (subject.origin.kind === 'derived') return () => undefined;
  const index = fieldIndex.get(subject.origin.field) ?? -1;
  const read = compileReader(subject);
  const judge = compileJudge(subject, subject.required || isKey(subject));
  return (values) => {
    const value = read(values[index]);
    if (value === null || value instanceof Fault) return undefined;
    return judge?.(value, values[index], () => undefined) === undefined ? subject.type.canonical(value) : undefined;
  };
}
