import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { asIssuer, createAuthority, readAuthority } from '../../../security/certs/authority.ts';
import { systemClock } from '../../../core/clock.ts';
import { homePaths, type Home } from '../../../core/home.ts';
import { identities, type Identity } from '../../../security/certs/identities.ts';
import { renewCertificate } from '../../../security/certs/mint.ts';
import { parseBundle } from '../../../security/certs/parse.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { makeSecretFolder, readIfPresent } from '../../../core/files.ts';
import { failed, held, notTried, type Check, type CheckGroup, type Patient, type Result } from '../check.ts';
import { listenersOf, type Listener } from '../listeners.ts';
import { plainOutcome, tlsOutcome, type Outcome } from '../probe/sockets.ts';

interface Material {
  readonly cert: Buffer;
  readonly key: Buffer;
}

interface Attempt {
  readonly name: string;
  readonly title: string;
  readonly remedy: string;
  readonly attempt: (listener: Listener) => Promise<Result>;
  /** Where it can be tried; on every listener unless told otherwise. */
  readonly on?: (listener: Listener) => boolean;
}

/** Content type of a TLS record that holds an alert, and such a record's bytes (RFC 8446 section 5.1). */
const TLS_ALERT = 0x15;
const LONGEST_ALERT_BYTES = 7;
const YEAR = 365 * 24 * 60 * 60 * 1000;
const CLIENT_CERTIFICATES =
  'have the listener ask for client certificates of this authority and require them: listener.name.<name>.ssl.client.auth=required in Kafka (a plain ssl.client.auth is ignored), require_client_auth: true in Cassandra';
const PROTOCOLS = 'allow TLS 1.2 and 1.3 alone: ssl.enabled.protocols in Kafka, accepted_protocols in Cassandra';
const NO_PLAINTEXT = 'let no listener speak without TLS: SASL_SSL in Kafka, optional: false in Cassandra';

/** Every port that speaks TLS: who is let in, and who is not. */
export const listenerChecks: CheckGroup = async (patient) => {
  const attempts = await attemptsOn(patient);
  return listenersOf(patient).flatMap((listener) =>
    attempts
      .filter(({ on }) => on?.(listener) !== false)
      .map(({ name, title, remedy, attempt }): Check => ({
        id: `${listener.id}/${name}`,
        title: `${listener.title}: ${title}`,
        remedy,
        attempt: () => attempt(listener),
      })),
  );
};

async function attemptsOn(patient: Patient): Promise<readonly Attempt[]> {
  const { connection, folder } = patient;
  const foreign = await foreignMaterial(patient.home, folder);
  const trusting = ({ ca }: Listener, options: ConnectionOptions = {}): ConnectionOptions => ({ ca, ...options });
  const access = accessOf(connection, 'operator');
  const operator: Material = { cert: readFileSync(access.certificate), key: readFileSync(access.key) };
  const ours = ({ holder }: Listener): Material => (holder === 'operator' ? operator : ofServer(patient.home, holder));
  const expired = await expiredMaterial(patient);
  return [
    ...(['TLSv1.2', 'TLSv1.3'] as const).map((version): Attempt => ({
      name: `admits-${version.toLowerCase()}`,
      title: `a client with a certificate of ours, over ${version}, is let in`,
      remedy: 'see that the server runs and trusts this authority: wardline certs verify',
      attempt: async (listener) =>
        admitted(
          await tlsOutcome(
            listener,
            trusting(listener, { ...ours(listener), minVersion: version, maxVersion: version }),
            listener.request,
          ),
        ),
    })),
    {
      name: 'no-certificate',
      title: 'a client without a certificate is refused',
      remedy: CLIENT_CERTIFICATES,
      attempt: async (listener) => refused(await tlsOutcome(listener, trusting(listener), listener.request)),
    },
    {
      name: 'others-certificate',
      title: "a certificate of ours that is no node's is refused",
      remedy: 'name the nodes that are let in: internode_authenticator with trusted_peer_identities in Cassandra',
      // Elsewhere a login tells who it is; this protocol has none.
      on: ({ withoutLogin }) => withoutLogin === undefined,
      attempt: async (listener) => refused(await tlsOutcome(listener, trusting(listener, operator), listener.request)),
    },
    {
      name: 'foreign-certificate',
      title: 'a certificate of another authority is refused',
      remedy: CLIENT_CERTIFICATES,
      attempt: async (listener) => refused(await tlsOutcome(listener, trusting(listener, foreign), listener.request)),
    },
    {
      name: 'expired-certificate',
      title: 'an expired certificate of ours is refused',
      remedy: CLIENT_CERTIFICATES,
      attempt: async (listener) =>
        expired === undefined
          ? notTried('the key of the authority that the servers trust is not in this home')
          : refused(await tlsOutcome(listener, trusting(listener, expired(listener)), listener.request)),
    },
    {
      name: 'tls-1.1',
      title: 'TLS 1.1 is refused',
      remedy: PROTOCOLS,
      attempt: async (listener) =>
        refused(
          await tlsOutcome(
            listener,
            // Node's own library must be willing, or the attempt would say nothing about the server.
            trusting(listener, {
              ...{ ...ours(listener), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
            }),
            listener.request,
          ),
        ),
    },
    {
      name: 'plaintext',
      title: 'a client that speaks no TLS gets no answer',
      remedy: NO_PLAINTEXT,
      attempt: async (listener) => unanswered(await plainOutcome(listener, listener.request)),
    },
    {
      name: 'no-login',
      title: 'nothing is answered without a login',
      remedy: 'have the listener ask for a login: SASL_SSL in Kafka, PasswordAuthenticator in Cassandra',
      attempt: async (listener) => {
        const { withoutLogin } = listener;
        if (withoutLogin === undefined) return notTried('this protocol knows no logins: certificates alone count');
        const outcome = await tlsOutcome(listener, trusting(listener, ours(listener)), withoutLogin.request);
        return judged(outcome, withoutLogin.isRefusal(outcome));
      },
    },
  ];
}

function admitted(outcome: Outcome): Result {
  return outcome.admitted && outcome.answer.length > 0 ? held(evidenceOf(outcome)) : failed(evidenceOf(outcome));
}

function refused(outcome: Outcome): Result {
  return judged(outcome, !outcome.admitted && outcome.answer.length === 0);
}

/** Where nobody listens, nothing is known of whom a listener would refuse. */
function judged(outcome: Outcome, isRefused: boolean): Result {
  return outcome.reached && isRefused ? held(evidenceOf(outcome)) : failed(evidenceOf(outcome));
}

/** A TLS server may answer what it does not understand with an alert of a few bytes. */
function unanswered(outcome: Outcome): Result {
  const { answer } = outcome;
  return judged(outcome, answer.length === 0 || (answer[0] === TLS_ALERT && answer.length <= LONGEST_ALERT_BYTES));
}

/** How OpenSSL words an error: number, library and function first, and then what it is about. */
const OPENSSL_REASON = /SSL routines:[^:]*:([^:]+)/;

function evidenceOf({ answer, reason }: Outcome): string {
  const words = OPENSSL_REASON.exec(reason)?.[1] ?? reason.split('\n')[0] ?? '';
  return answer.length === 0 ? words : `${words}; ${answer.length} bytes of an answer`;
}

/** A certificate that names the operator, of an authority that nobody knows. */
async function foreignMaterial(home: Home, folder: string): Promise<Material> {
  const path = join(folder, 'foreign');
  makeSecretFolder(path);
  const foreign: Home = { path, install: home.install, paths: homePaths(path) };
  makeSecretFolder(foreign.paths.authority);
  const authority = await createAuthority(foreign, systemClock, []);
  return issued(identityOf(foreign, 'operator'), path, asIssuer(authority), systemClock.now());
}

/** Certificates that expired two years ago; undefined where the key of the authority that the servers trust is not here. */
async function expiredMaterial({
  home,
  connection,
  folder,
}: Patient): Promise<((listener: Listener) => Material) | undefined> {
  const authority = readAuthority(home);
  if (authority?.privateKey === undefined) return undefined;
  const trusted = parseBundle(readIfPresent(connection.kafka.ca));
  if (!trusted.some(({ fingerprint256 }) => fingerprint256 === authority.certificate.fingerprint256)) return undefined;
  const path = join(folder, 'expired');
  makeSecretFolder(path);
  const made = new Map<string, Material>();
  for (const holder of ['operator', 'cassandra'] as const)
    made.set(holder, await issued(identityOf(home, holder), path, asIssuer(authority), Date.now() - 3 * YEAR));
  return ({ holder }) => made.get(holder) ?? { cert: Buffer.alloc(0), key: Buffer.alloc(0) };
}

async function issued(
  identity: Identity,
  folder: string,
  issuer: ReturnType<typeof asIssuer>,
  now: number,
): Promise<Material> {
  const certificate = join(folder, `${identity.name}.crt`);
  const key = join(folder, `${identity.name}.key`);
  await renewCertificate({ ...identity, certificate, key, bundle: undefined }, issuer, { now: () => now });
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}

function ofServer(home: Home, name: 'cassandra'): Material {
  const { certificate, key } = identityOf(home, name);
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}

function identityOf(home: Home, name: string): Identity {
  const identity = identities(home).find((each) => each.name === name);
  if (identity === undefined) throw new Error(`${name} has no certificate`);
  return identity;
}
