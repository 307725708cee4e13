import { existsSync } from 'node:fs';
import type { Connection, PrincipalAccess } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { readIfPresent } from '../../core/files.ts';
import type { PrincipalName } from '../principals/names.ts';

/** Where a principal's credentials are. Throws CREDENTIAL_MISSING where the connection does not name the principal. */
export function accessOf(connection: Connection, principal: PrincipalName): PrincipalAccess {
  const access = connection.principals[principal];
  if (access !== undefined) return access;
  throw new WardlineError('CREDENTIAL_MISSING', `the connection has no principal ${principal}`, {
    hint: `add principals.${principal} to the connection block, or act as one of: ${Object.keys(connection.principals).join(', ')}`,
  });
}

/** Whether this home has what it takes to act as a principal: one that was made for another principal alone has not. */
export function canActAs(connection: Connection, principal: PrincipalName): boolean {
  const access = connection.principals[principal];
  return access !== undefined && existsSync(access.signingKey);
}

/** Reads a file that a connection names. Throws CREDENTIAL_MISSING, naming the path, where it is absent or unreadable. */
export function readCredential(path: string): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = readIfPresent(path);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined && text !== '') return text;
  throw new WardlineError('CREDENTIAL_MISSING', `${path} is missing, empty or not readable`, {
    hint: 'make what is missing with: wardline certs mint',
    cause,
  });
}

/** A password as its file holds it now; one line break at the end, as editors leave it, is not part of it. */
export function readPassword(access: PrincipalAccess): string {
  return readCredential(access.passwordFile).replace(/\r?\n$/, '');
}
