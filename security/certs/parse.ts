import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A certificate from PEM text, or undefined where there is no text or it is damaged. */
export function parseCertificate(pem: string | undefined): X509Certificate | undefined {
  return pem === undefined ? undefined : parseBundle(pem)[0];
}

/** Every readable certificate of a PEM bundle, in its order. Damaged blocks are left out: a chain is checked against what is left. */
export function parseBundle(pem: string | undefined): X509Certificate[] {
  return [...(pem ?? '').matchAll(CERTIFICATE_BLOCK)].flatMap(([block]) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/** Whether a PEM private key belongs to the certificate. False for a damaged key. */
export function matchesKey(certificate: X509Certificate, privateKey: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKey));
  } catch {
    return false;
  }
}

/** Whether two PEM keys are the halves of one pair. False where either is missing or damaged. */
export function isPair(privateKey: string | undefined, publicKey: string | undefined): boolean {
  if (privateKey === undefined || publicKey === undefined) return false;
  try {
    return createPublicKey(createPrivateKey(privateKey)).equals(createPublicKey(publicKey));
  } catch {
    return false;
  }
}

/** A certificate's subject alternative names, as node:crypto spells them (`DNS:localhost`, `IP Address:127.0.0.1`, `URI:…`). */
export function alternativeNames(certificate: X509Certificate): string[] {
  return certificate.subjectAltName?.split(', ') ?? [];
}
