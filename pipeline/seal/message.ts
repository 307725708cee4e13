import type { SensitiveClass } from '../../core/classification.ts';
import type { JsonValue } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { fieldContexts, type FieldContext } from '../../security/sealed-field/context.ts';
import type { Sealer } from '../../security/sealed-field/seal.ts';

/** Seals one JSON text for a place: the per-key function of security/sealed-field. */
export type Seal = Sealer['seal'];

/** Writes the values of one record as the message's JSON text, sealing what the contract calls sensitive. */
export type MessageWriter = (
  values: readonly JsonValue[],
  key: readonly string[],
  sealFor: (sensitiveClass: SensitiveClass) => Seal,
) => { readonly json: string; readonly sealedFields: number };

/**
 * Compiles the contract's message layout to a writer. Field names are escaped once; values are appended to one string,
 * because building an object only to serialise it again costs as much as the sealing.
 */
export function compileMessageWriter(contract: CompiledContract): MessageWriter {
  const sealed = contract.messageFields.filter((field) => field.sealedAs !== undefined);
  const contextsOf = fieldContexts(
    contract.id,
    sealed.map((field) => field.property),
  );
  const fields = contract.messageFields.map((field, index) => ({
    ...field,
    prefix: `${index === 0 ? '{' : ','}${JSON.stringify(field.name)}:`,
    contextIndex: sealed.indexOf(field),
  }));

  return (values, key, sealFor) => {
    const contexts = sealed.length === 0 ? [] : contextsOf(key);
    let json = fields.length === 0 ? '{' : '';
    let sealedFields = 0;
    for (let index = 0; index < fields.length; index += 1) {
      const field = fields[index] as (typeof fields)[number];
      const value = values[index] ?? null;
      json += field.prefix;
      if (field.sealedAs === undefined || (value === null && !field.absenceSensitive)) {
        json += clearJson(value);
      } else {
        // A JWE is base64url and dots: nothing in it needs escaping.
        json += `"${sealFor(field.sealedAs)(contexts[field.contextIndex] as FieldContext, clearJson(value))}"`;
        sealedFields += 1;
      }
    }
    return { json: `${json}}`, sealedFields };
  };
}

function clearJson(value: JsonValue): string {
  if (typeof value === 'number' || value === null || typeof value === 'boolean') return String(value);
  return JSON.stringify(value);
}

/** Returns a function that gives the Kafka message key: the record's partition values as a JSON array, so that a partition's records stay in order. */
export function messageKeys(partitionColumns: number): (key: readonly string[]) => string {
  let last: readonly string[] = [];
  let text = '[]';
  return (key) => {
    const parts = partitionColumns === key.length ? key : key.slice(0, partitionColumns);
    // Neighbours mostly share their key.
    if (parts.length !== last.length || parts.some((part, index) => part !== last[index])) {
      last = parts;
      text = JSON.stringify(parts);
    }
    return text;
  };
}
