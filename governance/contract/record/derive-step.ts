import { ExpressionFailure } from '../../expression/index.ts';
import { Fault } from '../cql/fault.ts';
import type { CqlValue } from '../cql/cql-type.ts';
import { assignment } from '../rules/assignment.ts';
import type { Derivation } from '../rules/derivation.ts';
import { isKey } from '../rules/property-model.ts';
import { compileJudge, type Judge, type Slots } from './read-step.ts';

export interface DeriveStep {
  readonly property: string;
  readonly slot: number;
  readonly judge: Judge | undefined;
  /** The value, or why the expression cannot be evaluated on this record. */
  evaluate(slots: Slots): CqlValue | null | Fault;
}

/** One derived property: evaluate, bring to the property's type, judge. The same on both sides, so keys come out the same. */
export function compileDerive({ property, expression }: Derivation): DeriveStep {
  const assign = assignment(expression.type, property.type.name);
  const faults = new Map<string, Fault>();
  const faultOf = (error: ExpressionFailure): Fault => {
    const fault = faults.get(error.message) ?? new Fault('EXPRESSION_FAILED', error.message);
    faults.set(error.message, fault);
    return fault;
  };
  return {
    property: property.name,
    slot: property.slot,
    judge: compileJudge(property, property.required || isKey(property) || property.dataSubject),
    evaluate: (slots) => {
      try {
        const value = expression.evaluate(slots);
        return value === null ? null : assign(value);
      } catch (error) {
        if (error instanceof ExpressionFailure) return faultOf(error);
        throw error;
      }
    },
  };
}
