import type { SensitiveClass } from '../../core/classification.ts';
import { SINGLE_MESSAGE_LIMIT_BYTES } from '../../core/limits.ts';
import type { Checked, Raw } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { digestOfLaidOut, type RecordMac } from '../../security/sealed-field/record.ts';
import { messageKeys, type MessageWriter, type Seal } from './message.ts';
import type { KeyNeed, RejectedRecord, SealedBatch } from './protocol.ts';

/** What came of checking a batch: which records fit, which do not. */
export interface CheckedBatch {
  readonly accepted: readonly { readonly index: number; readonly record: Checked }[];
  readonly rejected: readonly RejectedRecord[];
  readonly milliseconds: number;
}

/** How a batch's keys are found once they are all there. Undefined: the subject's key is destroyed. */
export type KeyLookup = (
  subject: string,
  classification: SensitiveClass,
) => { readonly seal: Seal; readonly kid: string } | undefined;

/** Stage check, for one batch. */
export function checkBatch(
  contract: CompiledContract,
  values: readonly (readonly unknown[])[],
  positions: readonly number[],
): CheckedBatch {
  const started = performance.now();
  const accepted: { index: number; record: Checked }[] = [];
  const rejected: RejectedRecord[] = [];
  for (let index = 0; index < values.length; index += 1) {
    const raw: Raw = { values: values[index] ?? [], position: positions[index] ?? 0 };
    const outcome = contract.check(raw);
    if (outcome.ok) accepted.push({ index, record: outcome });
    else rejected.push({ index, rejection: outcome.rejection, subject: outcome.subject });
  }
  return { accepted, rejected, milliseconds: performance.now() - started };
}

/** The distinct (subject, class) pairs whose keys a batch needs. */
export function keyNeeds(contract: CompiledContract, batch: CheckedBatch): KeyNeed[] {
  const subjects = new Set(batch.accepted.map(({ record }) => record.subject));
  return [...subjects].flatMap((subject) =>
    contract.sensitiveClasses.map((classification) => ({ subject, classification })),
  );
}

/** Stage seal, for one checked batch: messages, digests and MACs in one buffer. */
export function sealBatch(
  contract: CompiledContract,
  checked: CheckedBatch,
  firstTimestamp: number,
  tools: { readonly write: MessageWriter; readonly mac: RecordMac; readonly keyFor: KeyLookup },
): SealedBatch {
  const started = performance.now();
  const messageKeyOf = messageKeys(contract.table.partitionKey.length);
  const rejected: RejectedRecord[] = [...checked.rejected];
  const keyIds = new Set<string>();
  const slab = new Slab(Math.max(1024, checked.accepted.length * 1024));
  const starts: number[] = [];
  const indexes: number[] = [];
  const macs: string[] = [];
  const digests = Buffer.allocUnsafeSlow(checked.accepted.length * 32);
  let sealedFields = 0;
  let warnings = 0;

  for (const { index, record } of checked.accepted) {
    const keys = contract.sensitiveClasses.map(
      (sensitiveClass) => [sensitiveClass, tools.keyFor(record.subject, sensitiveClass)] as const,
    );
    if (keys.some(([, key]) => key === undefined)) {
      const rejection = { code: 'SUBJECT_ERASED', detail: 'the keys of this data subject are destroyed' } as const;
      rejected.push({ index, rejection, subject: undefined });
      continue;
    }
    const sealFor = (wanted: SensitiveClass): Seal => {
      for (const [sensitiveClass, key] of keys) {
        if (sensitiveClass === wanted && key !== undefined) {
          keyIds.add(key.kid);
          return key.seal;
        }
      }
      throw new Error(`the contract seals ${wanted}, but does not list it`);
    };
    const message = tools.write(record.values, record.key, sealFor);
    const start = slab.used;
    slab.writeText(messageKeyOf(record.key));
    slab.writeText(message.json);
    const size = slab.used - start;
    if (size > SINGLE_MESSAGE_LIMIT_BYTES) {
      slab.used = start;
      const detail = `the message is ${size} bytes long; the topic takes ${SINGLE_MESSAGE_LIMIT_BYTES}`;
      rejected.push({ index, rejection: { code: 'MESSAGE_TOO_LARGE', detail }, subject: record.subject });
      continue;
    }
    const digest = digestOfLaidOut(slab.buffer.subarray(start, slab.used));
    digests.set(digest, starts.length * 32);
    macs.push(tools.mac.mac(digest, BigInt(firstTimestamp + index)));
    starts.push(start);
    indexes.push(index);
    sealedFields += message.sealedFields;
    warnings += record.warnings.length;
  }
  starts.push(slab.used);
  return {
    bytes: slab.buffer.buffer,
    starts: Uint32Array.from(starts),
    digests: digests.subarray(0, macs.length * 32),
    macs,
    indexes: Uint32Array.from(indexes),
    rejected,
    sealedFields,
    keyIds: [...keyIds],
    warnings,
    checkMilliseconds: checked.milliseconds,
    sealMilliseconds: performance.now() - started,
  };
}

/** A growing buffer that texts are written into, each preceded by its length in bytes. */
class Slab {
  buffer: Buffer<ArrayBuffer>;
  used = 0;

  constructor(size: number) {
    // Not from Node's shared pool: the buffer is handed to another thread whole.
    this.buffer = Buffer.allocUnsafeSlow(size);
  }

  writeText(text: string): void {
    // A UTF-16 code unit takes at most three bytes in UTF-8.
    this.reserve(4 + text.length * 3);
    const length = this.buffer.write(text, this.used + 4);
    this.buffer.writeUInt32BE(length, this.used);
    this.used += 4 + length;
  }

  private reserve(more: number): void {
    if (this.used + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.used + more));
    this.buffer.copy(larger, 0, 0, this.used);
    this.buffer = larger;
  }
}
