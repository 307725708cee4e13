/** Codes by which Node says that a peer's certificate was not accepted here (OpenSSL's X509_V_ERR_*, and Node's own name check). */
const CERTIFICATE_REFUSALS: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Alerts (RFC 8446 section 6.2) and local findings that another attempt would meet again. A broken-off handshake is not among them. */
const HANDSHAKE_REFUSALS =
  /^ERR_SSL_.*(ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|PROTOCOL_VERSION|INSUFFICIENT_SECURITY|HANDSHAKE_FAILURE)|WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL)/;

/** Whether an error's code says that one side refused the other's certificate or TLS version: no retry will mend that. */
export function isTlsRefusal(code: unknown): boolean {
  return typeof code === 'string' && (CERTIFICATE_REFUSALS.has(code) || HANDSHAKE_REFUSALS.test(code));
}
