import { createPublicKey, type KeyObject } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { JWK } from 'jose';
import type { PrincipalAccess } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { readIfPresent, writeFileAtomic } from '../../core/files.ts';
import { readCredential } from '../connect/access.ts';

/** Writes the public half of the notary's checkpoint key beside its store, where it is not there yet: whoever verifies needs it. */
export function publishCheckpointKey(notary: PrincipalAccess, key: JWK): void {
  const pem = String(createPublicKey({ key: { ...key }, format: 'jwk' }).export({ format: 'pem', type: 'spki' }));
  if (readIfPresent(publicKeyPath(notary)) !== pem) writeFileAtomic(publicKeyPath(notary), pem);
}

/** The public key with which checkpoints of this installation are verified. Throws CREDENTIAL_MISSING. */
export function checkpointPublicKey(notary: PrincipalAccess): KeyObject {
  const pem = readCredential(publicKeyPath(notary));
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new WardlineError('CREDENTIAL_MISSING', `${publicKeyPath(notary)} is no public key in PEM`, {
      hint: 'make it anew with: wardline certs mint',
      cause,
    });
  }
}

function publicKeyPath(notary: PrincipalAccess): string {
  return join(dirname(notary.keyStore), 'checkpoint.pub');
}
