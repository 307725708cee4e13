import type { CompiledContract } from '../compiled.ts';
import { timestampText } from '../cql/calendar.ts';
import { EPOCH_UNITS } from '../cql/cql-type.ts';
import { compileReader } from './read-step.ts';
import type { RecordPlan } from './plan.ts';

/** The record's own time: the first timestamp of its key that a source field maps directly. */
export function timeOf(plan: RecordPlan): CompiledContract['time'] {
  for (const property of [...plan.keys.partition, ...plan.keys.clustering]) {
    if (property.type.name !== 'timestamp' || property.origin.kind !== 'direct') continue;
    const { field, epoch } = property.origin;
    const read = compileReader(property);
    // Written back as the contract says that the source spells it, and in ISO 8601 where it says nothing.
    const asEpoch = epoch || property.spelling.format !== undefined;
    return {
      sourceField: plan.sourceFields.indexOf(field),
      read: (value) => {
        const time = read(value);
        return typeof time === 'number' ? time : undefined;
      },
      write: (milliseconds) =>
        asEpoch ? (milliseconds * EPOCH_UNITS[property.spelling.epochUnit]) / 1000 : timestampText(milliseconds),
    };
  }
  return undefined;
}
