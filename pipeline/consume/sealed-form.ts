import type { Rejection } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { fieldContexts, type FieldContext } from '../../security/sealed-field/context.ts';
import { sealedFieldFaults } from '../../security/sealed-field/fault.ts';

/** Checks the sealed fields of one message against the record's key. */
export type SealedFormCheck = (
  fields: Readonly<Record<string, unknown>>,
  key: readonly string[],
) => Rejection | undefined;

/** What can be checked without any key: a sealed field has the form of one, a well-formed key id, and is bound to this record and property. */
export function compileSealedFormCheck(contract: CompiledContract): SealedFormCheck {
  const sealed = contract.messageFields.flatMap(({ sealedAs, ...field }) =>
    sealedAs === undefined ? [] : [{ ...field, sealedAs }],
  );
  if (sealed.length === 0) return () => undefined;
  const contextsOf = fieldContexts(
    contract.id,
    sealed.map((field) => field.property),
  );
  // Fields of one record and class share their key, so each class has a function that remembers it.
  const faultsOf = { personal: sealedFieldFaults(), restricted: sealedFieldFaults() };
  const checks = sealed.map((field) => ({ ...field, faultOf: faultsOf[field.sealedAs] }));
  return (fields, key) => {
    const contexts = contextsOf(key);
    for (let index = 0; index < checks.length; index += 1) {
      const field = checks[index] as (typeof checks)[number];
      const value = fields[field.name];
      if (value === null && !field.absenceSensitive) continue;
      const fault = field.faultOf(value, contexts[index] as FieldContext);
      if (fault !== undefined)
        return {
          code: fault,
          property: field.property,
          detail: 'the value is not a sealed field of this record and property',
        };
    }
    return undefined;
  };
}
