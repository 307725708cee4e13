import { auth } from 'cassandra-driver';
import type { PrincipalAccess } from '../../core/connection.ts';
import { readPassword } from './access.ts';

/** Logs in with the password as its file holds it at that moment, so a changed password needs no new client. */
export class FilePasswordProvider extends auth.PlainTextAuthProvider {
  readonly #access: PrincipalAccess;

  /** Throws CREDENTIAL_MISSING where there is no password yet. */
  constructor(access: PrincipalAccess) {
    readPassword(access);
    super(access.username, '');
    this.#access = access;
  }

  override newAuthenticator(): auth.Authenticator {
    const access = this.#access;
    return {
      // RFC 4616: authorisation identity (none), user name and password, each behind a zero octet. A missing file is
      // handed on rather than thrown: the driver calls this from a socket's event.
      initialResponse(callback: (error: unknown, token?: Buffer) => void) {
        try {
          callback(undefined, Buffer.from(`\0${access.username}\0${readPassword(access)}`));
        } catch (error) {
          callback(error);
        }
      },
      evaluateChallenge(_challenge: Buffer, callback: () => void) {
        callback();
      },
      onAuthenticationSuccess() {
        // Nothing is owed to a server that accepts.
      },
    };
  }
}
