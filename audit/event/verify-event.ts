import { isUtf8 } from 'node:buffer';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { parseEventDocument, type EventDocument } from './document.ts';
import { parseJws, verifyJws, type ParsedJws } from '../signature/jws.ts';
import { EVENT_TYPE, MAXIMUM_EVENT_BYTES } from './sign-event.ts';
import type { TrustedKey, TrustedKeys } from '../signature/signing-key.ts';

/**
 * Checks a message of the audit topic, in this order: its size and form, a key that is trusted, the signature, the
 * payload's canonical form, the event's members, and that the key speaks for the event's actor. Returns the event.
 * Throws AUDIT_EVENT_UNVERIFIED that says which check failed.
 */
export function verifyEvent(bytes: Uint8Array, keys: TrustedKeys): EventDocument {
  const jws = wellFormed(bytes);
  const key = trusted(jws, keys);
  requireSignature(jws, key);
  const event = canonicalEvent(jws);
  requireActor(event, key);
  return event;
}

function wellFormed(bytes: Uint8Array): ParsedJws {
  const fits = bytes.length <= MAXIMUM_EVENT_BYTES && isUtf8(bytes);
  const jws = fits ? parseJws(Buffer.from(bytes).toString('utf8')) : undefined;
  if (jws?.header.typ !== EVENT_TYPE) throw unverified('it does not have the form of an audit event');
  return jws;
}

function trusted({ header }: ParsedJws, keys: TrustedKeys): TrustedKey {
  const key = keys.get(header.kid);
  if (key === undefined) throw unverified('it names a signing key that is not among the trusted ones');
  return key;
}

function requireSignature(jws: ParsedJws, key: TrustedKey): void {
  if (!verifyJws(jws, key.publicKey)) throw unverified('its signature does not fit');
}

function canonicalEvent({ payload }: ParsedJws): EventDocument {
  const text = payload.toString('utf8');
  try {
    const value = JSON.parse(text) as JsonValue;
    if (canonicalJson(value) === text) return parseEventDocument(value);
  } catch (error) {
    const reason = asWardlineError(error);
    throw unverified(reason.code === 'AUDIT_EVENT_INVALID' ? reason.message : 'its payload is not canonical JSON');
  }
  throw unverified('its payload is not canonical JSON');
}

function requireActor(event: EventDocument, key: TrustedKey): void {
  if (event.actor.principal !== key.principal)
    throw unverified(`${event.actor.principal} is named as its actor, but ${key.principal} signed it`);
}

function unverified(reason: string): WardlineError {
  return new WardlineError('AUDIT_EVENT_UNVERIFIED', `an audit event does not verify: ${reason}`, {
    hint: 'keep the message as evidence, and check that the signing keys are complete',
  });
}
