import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { SENSITIVE_CLASSES } from '../../core/classification.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { KID_PATTERN } from '../../security/keyring/data-key.ts';
import type { EscrowedKey } from '../../security/keyring/key-escrow.ts';

const FORMAT = 1;

const place = {
  format: z.literal(FORMAT),
  contract: z.string().min(1),
  subject: z.string(),
  classification: z.enum(SENSITIVE_CLASSES),
} as const;

/** What an escrowed data key's object holds once it is decrypted. The key in it is wrapped: it opens with the KEK alone. */
const keySchema = z.strictObject({
  ...place,
  generation: z.int().min(1),
  kid: z.string().regex(KID_PATTERN),
  createdAt: z.int(),
  wrapped: z.string().min(1),
});

/** What states that a subject was erased, so that not even the loss of everything else readmits it. */
const erasedSchema = z.strictObject({
  ...place,
  erasedAt: z.int(),
  /** HMAC-SHA-256 under the contract's integrity key: whoever can write into the store cannot erase anybody by it. */
  mac: z.string(),
});

export interface ErasedSubject {
  readonly contract: string;
  readonly subject: string;
  readonly classification: EscrowedKey['classification'];
  /** Milliseconds since the epoch. */
  readonly erasedAt: number;
}

export function keyText({
  contract,
  subject,
  classification,
  generation,
  kid,
  createdAt,
  wrapped,
}: EscrowedKey): Buffer {
  return text({ format: FORMAT, contract, subject, classification, generation, kid, createdAt, wrapped });
}

/** Throws OBJECT_DAMAGED where it is none. */
export function parseKey(bytes: Uint8Array, name: string): EscrowedKey {
  const { format: _, ...key } = parsed(keySchema, bytes, name);
  return key;
}

export function erasedText(erased: ErasedSubject, integrityKey: Uint8Array): Buffer {
  const { contract, subject, classification, erasedAt } = erased;
  return text({ format: FORMAT, contract, subject, classification, erasedAt, mac: macOf(erased, integrityKey) });
}

/** Throws OBJECT_DAMAGED where it is none, or its MAC is not the one that the integrity key of its contract gives. */
export function parseErased(
  bytes: Uint8Array,
  name: string,
  integrityKey: (contract: string) => Uint8Array,
): ErasedSubject {
  const { format: _, mac, ...erased } = parsed(erasedSchema, bytes, name);
  const expected = Buffer.from(macOf(erased, integrityKey(erased.contract)));
  if (mac.length !== expected.length || !timingSafeEqual(Buffer.from(mac), expected))
    throw new WardlineError('OBJECT_DAMAGED', `${name} was not written by this installation`);
  return erased;
}

function macOf({ contract, subject, classification, erasedAt }: ErasedSubject, integrityKey: Uint8Array): string {
  return createHmac('sha256', integrityKey)
    .update(lengthPrefixed(['wardline escrow erased subject', contract, classification, subject, String(erasedAt)]))
    .digest('base64url');
}

function text(document: Parameters<typeof canonicalJson>[0]): Buffer {
  return Buffer.from(canonicalJson(document), 'utf8');
}

/** Without what the document says: it names a data subject. */
function parsed<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // Reported below, as for JSON of another shape.
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  throw new WardlineError('OBJECT_DAMAGED', `${name} decrypts, but does not hold what an object of its name holds`);
}
