import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { eventDocument, type EventAuthor } from './document.ts';
import type { EventStatement } from './event.ts';
import { signJws } from '../signature/jws.ts';
import { signingKey } from '../signature/signing-key.ts';

/** The `typ` of an event's JWS (RFC 8725 section 3.11): no other document signed by the same key passes for an event. */
export const EVENT_TYPE = 'wardline-audit-event+jws';

/** Largest event, in bytes of its message. An auditor's tools may rely on it. */
export const MAXIMUM_EVENT_BYTES = 64 * 1024;

export interface EventSigner extends EventAuthor {
  /** The principal's Ed25519 private key, PKCS #8 PEM. */
  readonly signingKeyPem: string;
}

/**
 * Returns a function from a statement to the exact bytes of its message: a compact JWS whose payload is the event in
 * canonical JSON (RFC 8785). The RFC 6962 leaf of an event is over these bytes, so a resend must send the same ones.
 * The function throws AUDIT_EVENT_INVALID where the statement cannot become an event.
 */
export function createEventSigner(signer: EventSigner): (statement: EventStatement) => Buffer {
  const key = signingKey(signer.principal, signer.signingKeyPem);
  return (statement) => {
    const bytes = Buffer.from(signJws(canonical(statement, signer), key, EVENT_TYPE));
    if (bytes.length <= MAXIMUM_EVENT_BYTES) return bytes;
    throw new WardlineError(
      'AUDIT_EVENT_INVALID',
      `the event ${statement.action} has ${bytes.length} bytes; the limit is ${MAXIMUM_EVENT_BYTES}`,
      { hint: 'state counts and ranges, or divide it into several events' },
    );
  };
}

function canonical(statement: EventStatement, signer: EventAuthor): string {
  const document = eventDocument(statement, signer);
  try {
    return canonicalJson(document);
  } catch (cause) {
    throw new WardlineError('AUDIT_EVENT_INVALID', `the event ${statement.action} has no canonical JSON form`, {
      hint: 'leave out lone surrogates and numbers that are not finite',
      cause,
    });
  }
}
