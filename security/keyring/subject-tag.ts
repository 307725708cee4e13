import { createHmac } from 'node:crypto';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';

/**
 * Names a data subject in what is kept for ever: HMAC-SHA-256 (RFC 2104) under the contract's integrity key, in base64url.
 * Who holds that key can tell whether an event is about a subject; nobody can read the subject from it.
 */
export function subjectTag(integrityKey: Uint8Array, subject: string): string {
  return createHmac('sha256', integrityKey)
    .update(lengthPrefixed(['wardline audited subject', subject]))
    .digest('base64url');
}
