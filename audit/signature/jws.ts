import { sign, verify, type KeyObject } from 'node:crypto';

const ALGORITHM = 'EdDSA';
const SEGMENT = /^[A-Za-z0-9_-]+$/;

export interface JwsHeader {
  readonly alg: string;
  readonly kid: string;
  readonly typ: string;
}

export interface ParsedJws {
  readonly header: JwsHeader;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** What the signature is over (RFC 7515 section 5.1). */
  readonly signed: Buffer;
}

/** Signs text as a JWS in compact form (RFC 7515) with EdDSA over Ed25519 (RFC 8037). The same text and key give the same bytes. */
export function signJws(payload: string, key: { kid: string; privateKey: KeyObject }, type: string): string {
  const header = JSON.stringify({ alg: ALGORITHM, kid: key.kid, typ: type } satisfies JwsHeader);
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`;
}

/**
 * Takes a compact JWS apart without believing it. Returns undefined where it is none in the one form that `signJws`
 * writes: EdDSA only, no other header members, canonical base64url, so that no two texts carry one signature.
 */
export function parseJws(text: string): ParsedJws | undefined {
  const [protectedHeader = '', payload = '', signature = '', ...more] = text.split('.');
  const segments = [protectedHeader, payload, signature];
  if (more.length > 0 || !segments.every((segment) => SEGMENT.test(segment) && isCanonical(segment))) return undefined;
  const header = parseHeader(Buffer.from(protectedHeader, 'base64url').toString('utf8'));
  if (header === undefined) return undefined;
  return {
    header,
    payload: Buffer.from(payload, 'base64url'),
    signature: Buffer.from(signature, 'base64url'),
    signed: Buffer.from(`${protectedHeader}.${payload}`),
  };
}

/** Whether the signature is the key's. */
export function verifyJws(jws: ParsedJws, publicKey: KeyObject): boolean {
  return verify(null, jws.signed, publicKey, jws.signature);
}

function parseHeader(json: string): JwsHeader | undefined {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof header !== 'object' || header === null || !('alg' in header && 'kid' in header && 'typ' in header))
    return undefined;
  const { alg, kid, typ, ...more } = header;
  if (alg !== ALGORITHM || typeof kid !== 'string' || typeof typ !== 'string' || Object.keys(more).length > 0)
    return undefined;
  return { alg, kid, typ };
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** Unused bits of the last character must be zero; decoders ignore them, so they could be changed unnoticed. */
function isCanonical(segment: string): boolean {
  return Buffer.from(segment, 'base64url').toString('base64url') === segment;
}
