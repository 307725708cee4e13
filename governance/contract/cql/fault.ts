import type { DeadLetterCode } from '../../../core/errors/dead-letter-codes.ts';

/**
 * Why a value does not fit its place. Returned, not thrown: on the way of 25,000 records a second a fault is data.
 * `detail` never repeats the value; faults are made once, when the contract is compiled, and shared.
 */
export class Fault {
  readonly code: DeadLetterCode;
  readonly detail: string;

  constructor(code: DeadLetterCode, detail: string) {
    this.code = code;
    this.detail = detail;
    Object.freeze(this);
  }
}

/** A fault of the most frequent kind: the value cannot be read as its type. */
export function notOfType(detail: string): Fault {
  return new Fault('VALUE_NOT_OF_TYPE', detail);
}
