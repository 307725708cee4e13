import type { SensitiveClass } from '../../core/classification.ts';
import type { Rejection } from '../../core/record.ts';
import type { DataKey } from '../../security/keyring/data-key.ts';

/** What the main thread hands to a seal thread at its start. */
export interface SealThreadData {
  readonly contractPath: string;
  /** The contract's integrity key, for the message MAC. */
  readonly integrityKey: Uint8Array;
}

/** A data key as a seal thread may use it: until `validUntil` (milliseconds since the epoch), then it must ask again. */
export interface ThreadKey {
  readonly subject: string;
  readonly classification: SensitiveClass;
  /** In memory that both threads share: wiped by the main thread, it is gone here too. Undefined where the subject's key is destroyed. */
  readonly dataKey: DataKey | undefined;
  readonly validUntil: number;
}

export interface KeyNeed {
  readonly subject: string;
  readonly classification: SensitiveClass;
  /** The key that has made all its seals, where that is why another is needed. */
  readonly exhausted?: string | undefined;
}

export type ToSealThread =
  | {
      readonly type: 'batch';
      readonly id: number;
      readonly values: readonly (readonly unknown[])[];
      readonly positions: readonly number[];
      /** Write timestamp of the first record, in microseconds; the following ones count up by one. */
      readonly firstTimestamp: number;
    }
  | { readonly type: 'keys'; readonly id: number; readonly keys: readonly ThreadKey[] };

/** A record that did not pass, with what the main thread needs to keep it as a dead letter. */
export interface RejectedRecord {
  readonly index: number;
  readonly rejection: Rejection;
  readonly subject: string | undefined;
}

/**
 * A sealed batch in one transferable buffer: for each message key and value, both preceded by a 32-bit length,
 * so that a message's digest is one hash over one slice.
 */
export interface SealedBatch {
  readonly bytes: ArrayBuffer;
  /** Start of each message in `bytes`; one more entry marks the end. */
  readonly starts: Uint32Array;
  /** 32 bytes a message. */
  readonly digests: Uint8Array;
  /** base64url, a message each. */
  readonly macs: readonly string[];
  /** Index of each message's record in the batch that was sent in. */
  readonly indexes: Uint32Array;
  readonly rejected: readonly RejectedRecord[];
  readonly sealedFields: number;
  readonly keyIds: readonly string[];
  readonly warnings: number;
  readonly checkMilliseconds: number;
  readonly sealMilliseconds: number;
}

export type FromSealThread =
  | { readonly type: 'ready' }
  | { readonly type: 'needs-keys'; readonly id: number; readonly needs: readonly KeyNeed[] }
  | { readonly type: 'sealed'; readonly id: number; readonly batch: SealedBatch }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
