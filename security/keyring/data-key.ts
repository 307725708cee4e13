import type { SensitiveClass } from '../../core/classification.ts';

/** Bytes of a DEK (AES-256) and of the random part of a `kid`; 18 bytes make 24 base64url characters without a remainder. */
export const DATA_KEY_BYTES = 32;
export const KID_BYTES = 18;

/** The form of every DEK's `kid`: 18 random bytes in base64url. */
export const KID_PATTERN = /^[A-Za-z0-9_-]{24}$/;

/** What a DEK is for. A DEK serves one contract, subject and class, and no other. */
export interface KeyPlace {
  readonly contract: string;
  readonly subject: string;
  readonly classification: SensitiveClass;
}

/** A data-encryption key in clear, and what it is bound to. Never leaves the process that unwrapped it, never logged. */
export interface DataKey extends KeyPlace {
  readonly kid: string;
  /** 32 bytes. All zero once the key was wiped: whoever uses a key asks `isWiped` first. */
  readonly key: Buffer;
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * Memory for one key that threads share: wiping it in one thread wipes it in all.
 * A message port passes such a buffer on by reference, not by copy.
 */
export function keyMemory(bytes: Uint8Array): Buffer {
  const memory = Buffer.from(new SharedArrayBuffer(bytes.length));
  memory.set(bytes);
  return memory;
}

/** Overwrites the key with zeros, for every holder of the same memory. */
export function wipe(dataKey: DataKey): void {
  dataKey.key.fill(0);
}

/** Whether the key was wiped. Costs one comparison for nearly every live key, so it is asked at each use. */
export function isWiped(dataKey: DataKey): boolean {
  for (const byte of dataKey.key) if (byte !== 0) return false;
  return true;
}
