import { TIMESTAMP_AHEAD_LIMIT_MICROSECONDS } from '../core/limits.ts';
import { asRow, type Rejection, type Row } from '../core/record.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import { compileSealedFormCheck } from './consume/sealed-form.ts';
import type { VerifiedMessage } from './consume/verify.ts';
import { messageKeys } from './seal/message.ts';
import type { StageBody } from './stage.ts';

export interface Transformed {
  readonly rows: readonly Row[];
  readonly rejected: readonly { readonly message: VerifiedMessage; readonly rejection: Rejection }[];
}

/** Stage transform: renames, converts and derives from what is not sensitive. Holds no keys; sealed fields pass through unopened. */
export function transformStage(contract: CompiledContract): StageBody<readonly VerifiedMessage[], Transformed> {
  const messageKeyOf = messageKeys(contract.table.partitionKey.length);
  const sealedFault = compileSealedFormCheck(contract);
  const toRow = (message: VerifiedMessage): Row | Rejection => {
    if (message.writeTimestamp - message.appendTimestamp > TIMESTAMP_AHEAD_LIMIT_MICROSECONDS) {
      return { code: 'TIMESTAMP_AHEAD', detail: 'the write timestamp is more than 5 minutes ahead of the broker' };
    }
    const outcome = contract.toRow(message.fields);
    if (!outcome.ok) return outcome.rejection;
    const partitionKey = messageKeyOf(outcome.key);
    if (partitionKey !== message.keyText)
      return { code: 'MESSAGE_KEY_MISMATCH', detail: "the message key is not the record's partition key" };
    const misplaced = sealedFault(message.fields, outcome.key);
    if (misplaced !== undefined) return misplaced;
    return asRow({
      values: outcome.values,
      partitionKey,
      writeTimestamp: message.writeTimestamp,
      offset: message.offset,
    });
  };
  return (messages) => {
    const rows: Row[] = [];
    const rejected: { message: VerifiedMessage; rejection: Rejection }[] = [];
    for (const message of messages) {
      const row = toRow(message);
      if ('code' in row) rejected.push({ message, rejection: row });
      else rows.push(row);
    }
    return {
      output: { rows, rejected },
      facts: { counts: { records: messages.length, rows: rows.length, rejected: rejected.length } },
    };
  };
}
