import { statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { WardlineError } from '../../../core/errors/errors.ts';
import { readCredential } from '../access.ts';

/** Older versions are refused in both directions. */
const OLDEST_TLS = 'TLSv1.2';

export interface TlsFiles {
  /** The bundle of authorities whom a server must come from; nobody else is trusted, the machine's own list included. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Returns a function that gives the TLS context of a connection to be made now: the files are read again whenever one of
 * them has changed, so that new connections use a rotated certificate. Reads once at the call itself.
 * Throws CREDENTIAL_MISSING where a file is absent, CERTIFICATE_INVALID where one is damaged.
 */
export function tlsContext(files: TlsFiles): () => SecureContext {
  const paths = [files.ca, files.certificate, files.key];
  let current = { version: versionOf(paths), context: load(files) };
  return () => {
    const version = versionOf(paths);
    if (version === current.version) return current.context;
    try {
      current = { version, context: load(files) };
    } catch (error) {
      // Key and certificate are replaced one after the other: between the two the old pair still serves.
      if (!isHalfOfPair(error)) throw error;
    }
    return current.context;
  };
}

function load(files: TlsFiles): SecureContext {
  const ca = readCredential(files.ca);
  const cert = readCredential(files.certificate);
  const key = readCredential(files.key);
  try {
    return createSecureContext({ ca, cert, key, minVersion: OLDEST_TLS });
  } catch (cause) {
    throw new WardlineError(
      'CERTIFICATE_INVALID',
      `${files.certificate}, its key or ${files.ca} cannot be used for TLS`,
      {
        hint: 'see what is wrong with: wardline certs verify',
        cause,
      },
    );
  }
}

function isHalfOfPair(error: unknown): boolean {
  const cause = error instanceof WardlineError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
}

/** Changes whenever a file is written again or replaced; an absent file is a version too. */
export function versionOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const file = statSync(path, { throwIfNoEntry: false });
      return file === undefined ? 'absent' : `${file.ino}:${file.size}:${file.mtimeMs}`;
    })
    .join(' ');
}
