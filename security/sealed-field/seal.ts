import { createCipheriv, createSecretKey } from 'node:crypto';
import { WardlineError } from '../../core/errors/errors.ts';
import { isWiped, type DataKey } from '../keyring/data-key.ts';
import type { FieldContext } from './context.ts';
import { CONTEXT_AT, encodedHeaderStart, HEADER_LENGTH, IV_BYTES, PADDING_BYTES } from './layout.ts';
import { checkNotWiped } from './refusal.ts';

/** How random bytes are drawn; `crypto.randomBytes` in the product. MUST be a cryptographically secure generator. */
export type Random = (bytes: number) => Buffer;

/** Seals of one process under one generation of a key: with random 96-bit vectors far below the bound of NIST SP 800-38D section 8.3. */
export const SEALS_PER_GENERATION = 2 ** 28;

/** Seals values under one data key. Not shared between threads; a thread makes its own. */
export interface Sealer {
  readonly kid: string;
  /** How many more seals this sealer makes before a new generation is due. */
  readonly sealsLeft: number;
  /** Whether the key behind it was wiped: such a sealer is to be dropped. */
  readonly wiped: boolean;
  /**
   * Seals a value given as its JSON text: a JWE in compact form (RFC 7516), bound to `context`.
   * Throws KEY_DESTROYED once the key was wiped, KEY_EXHAUSTED after 2^28 seals.
   */
  seal(context: FieldContext, json: string): string;
}

/**
 * Makes sealers that share one supply of initialization vectors and one scratch buffer, so that a sealer itself is
 * small: there may be one for every subject at work.
 */
export function sealerFactory(random: Random, sealsPerGeneration = SEALS_PER_GENERATION): (dataKey: DataKey) => Sealer {
  const vectors = initializationVectors(random);
  const scratch = Buffer.alloc(SCRATCH_BYTES);
  return (dataKey) => {
    const headerStart = encodedHeaderStart(dataKey.kid);
    const header = Buffer.alloc(HEADER_LENGTH, headerStart, 'latin1');
    checkNotWiped(dataKey);
    // A key object spares each cipher the parsing of the raw key: four times as many seals a second.
    const key = createSecretKey(dataKey.key);
    let sealsLeft = sealsPerGeneration;
    return {
      kid: dataKey.kid,
      get sealsLeft() {
        return sealsLeft;
      },
      get wiped() {
        return isWiped(dataKey);
      },
      seal(context, json) {
        checkNotWiped(dataKey);
        if (sealsLeft <= 0) throw exhausted(dataKey.kid);
        sealsLeft -= 1;
        const { iv, encoded } = vectors.next();
        header.write(context, CONTEXT_AT, 'latin1');
        const cipher = createCipheriv('aes-256-gcm', key, iv);
        // The additional authenticated data is the encoded protected header (RFC 7516 section 5.1 step 14).
        cipher.setAAD(header);
        const ciphertext = cipher.update(padded(json, scratch));
        cipher.final();
        const tag = cipher.getAuthTag();
        return `${headerStart}${context}..${encoded}.${ciphertext.toString('base64url')}.${tag.toString('base64url')}`;
      },
    };
  };
}

const SCRATCH_BYTES = 16 * 1024;
const SPACE = 0x20;

/** The text as UTF-8 with spaces up to a multiple of 16 bytes; a view of `scratch` where it fits. JSON ignores the spaces (RFC 8259 section 2). */
function padded(json: string, scratch: Buffer): Buffer {
  const fits = json.length * 3 + PADDING_BYTES <= scratch.length;
  const target = fits ? scratch : Buffer.alloc(Buffer.byteLength(json) + PADDING_BYTES);
  const size = target.write(json, 'utf8');
  const end = Math.max(1, Math.ceil(size / PADDING_BYTES)) * PADDING_BYTES;
  for (let at = size; at < end; at += 1) target[at] = SPACE;
  return target.subarray(0, end);
}

const VECTORS_PER_DRAW = 1024;
const ENCODED_LENGTH = (IV_BYTES / 3) * 4;

/**
 * A supply of random 96-bit initialization vectors, each handed out once (NIST SP 800-38D section 8.2.2).
 * They are drawn and encoded 1,024 at a time: 12 bytes are 16 base64url characters without a remainder.
 */
function initializationVectors(random: Random): { next(): { readonly iv: Buffer; readonly encoded: string } } {
  let drawn: Buffer = Buffer.alloc(0);
  let encoded = '';
  let used = 0;
  return {
    next() {
      if (used * IV_BYTES >= drawn.length) {
        drawn = random(IV_BYTES * VECTORS_PER_DRAW);
        encoded = drawn.toString('base64url');
        used = 0;
      }
      const index = used++;
      return {
        iv: drawn.subarray(index * IV_BYTES, (index + 1) * IV_BYTES),
        encoded: encoded.slice(index * ENCODED_LENGTH, (index + 1) * ENCODED_LENGTH),
      };
    },
  };
}

function exhausted(kid: string): WardlineError {
  return new WardlineError('KEY_EXHAUSTED', `key ${kid} has made all the seals of its generation`, {
    hint: 'ask the keyring for the current key: it makes a new generation',
  });
}
