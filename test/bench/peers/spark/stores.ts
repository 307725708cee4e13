import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSecretFolder, writeFileAtomic } from '../../../../core/files.ts';
import type { Connection } from '../../../../core/connection.ts';
import { credentials } from '../../../../security/connect/credentials.ts';
import type { PrincipalName } from '../../../../security/principals/names.ts';

/** A principal's credentials in the forms that Java programs read. All files are for their owner alone. */
export interface JavaStores {
  /** Private key and certificate in one PEM file, for the Kafka client. */
  readonly keyAndCertificate: string;
  readonly trusted: string;
  /** PKCS #12, for the Cassandra driver. */
  readonly keyStore: string;
  readonly trustStore: string;
  /** Both stores' password. */
  readonly storePasswordFile: string;
  readonly passwordFile: string;
  readonly username: string;
}

/** Writes the stores of a principal into `folder`, under a password made for them. No secret is in an argument. */
export async function writeStores(
  connection: Connection,
  principal: PrincipalName,
  folder: string,
): Promise<JavaStores> {
  makeSecretFolder(folder);
  const { kafka, cassandra } = credentials(connection, principal);
  const [key, certificate] = [readFileSync(kafka.tls.key, 'utf8'), readFileSync(kafka.tls.cert, 'utf8')];
  const keyAndCertificate = join(folder, 'client.pem');
  writeFileAtomic(keyAndCertificate, `${key.trimEnd()}\n${certificate}`);
  const password = randomBytes(24).toString('base64url');
  const storePasswordFile = join(folder, 'store.password');
  writeFileAtomic(storePasswordFile, password);

  const keyStore = join(folder, 'client.p12');
  const packed = ['-in', keyAndCertificate, '-out', keyStore, '-passout', `file:${storePasswordFile}`];
  await promisify(execFile)('openssl', ['pkcs12', '-export', ...packed]);

  // Java trusts an entry of a PKCS #12 store only where it bears an attribute that keytool alone writes.
  const trustStore = join(folder, 'trust.p12');
  const place = ['-keystore', trustStore, '-storetype', 'PKCS12', '-storepass:file', storePasswordFile];
  await promisify(execFile)('keytool', [
    '-importcert',
    '-noprompt',
    '-alias',
    'authority',
    '-file',
    cassandra.tls.ca,
    ...place,
  ]);
  return {
    keyAndCertificate,
    trusted: kafka.tls.ca,
    keyStore,
    trustStore,
    storePasswordFile,
    passwordFile: cassandra.passwordFile,
    username: cassandra.username,
  };
}
