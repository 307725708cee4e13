import { join } from 'node:path';
import { z } from 'zod';
import type { PrincipalAccess } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../principals/names.ts';

/** A server that has a certificate, and the secrets that only it and its supervisor know. */
const SERVERS = {
  kafka: { secrets: ['password'] },
  cassandra: { secrets: ['jmx-password'] },
} as const;

export type ServerName = keyof typeof SERVERS;

/** Who else is called, where telemetry goes to servers of its own: only homes that name their hosts have these. */
export const OBSERVER_NAMES = ['collector', 'jaeger'] as const;

export type ObserverName = (typeof OBSERVER_NAMES)[number];

export const SERVER_NAMES: readonly ServerName[] = ['kafka', 'cassandra'];

/** Names under which a server on this machine is reached. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1'];

const hosts = z.array(z.string().min(1)).min(1).readonly();
const hostsFile = z.strictObject({
  kafka: hosts,
  cassandra: hosts,
  collector: hosts.optional(),
  jaeger: hosts.optional(),
});

/** DNS names and IP addresses under which each server is reached: its certificate carries them as alternative names. */
export type ServerHosts = Readonly<Record<ServerName, readonly string[]>> &
  Readonly<Partial<Record<ObserverName, readonly string[] | undefined>>>;

type Usage = 'serverAuth' | 'clientAuth';

/** What one certificate says about its holder, and where its files are. */
export interface Identity {
  readonly kind: 'server' | 'principal';
  readonly name: ServerName | ObserverName | PrincipalName;
  /** SPIFFE ID, the certificate's URI name. */
  readonly uri: string;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
  readonly usages: readonly Usage[];
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
  /** Servers only: key and certificate in one file, so that whoever reads it never sees halves of two pairs. */
  readonly bundle: string | undefined;
  /** Principals only: Ed25519, private and public half. */
  readonly signing: { readonly key: string; readonly public: string } | undefined;
  /** Files of generated passwords. */
  readonly secrets: readonly string[];
}

/** Every certificate that a home has: the servers' first, then the principals'. */
export function identities(home: Home): readonly Identity[] {
  const reachedAs = serverHosts(home);
  return [
    ...SERVER_NAMES.map((name) => server(home, name, reachedAs[name], SERVERS[name].secrets)),
    ...OBSERVER_NAMES.flatMap((name) => {
      const hosts = reachedAs[name];
      return hosts === undefined ? [] : [server(home, name, hosts, [])];
    }),
    ...PRINCIPAL_NAMES.map((name) => principal(home, name)),
  ];
}

function server(
  home: Home,
  name: ServerName | ObserverName,
  hosts: readonly string[],
  secrets: readonly string[],
): Identity {
  const folder = join(home.paths.servers, name);
  return {
    kind: 'server',
    name,
    uri: spiffeId(home, 'server', name),
    hosts,
    // Brokers and nodes also call one another, and then show the same certificate as a client.
    usages: ['serverAuth', 'clientAuth'],
    folder,
    certificate: join(folder, 'tls.crt'),
    key: join(folder, 'tls.key'),
    bundle: join(folder, 'tls.pem'),
    signing: undefined,
    secrets: secrets.map((secret) => join(folder, secret)),
  };
}

function principal(home: Home, name: PrincipalName): Identity {
  const access = principalAccess(home, name);
  const folder = join(home.paths.principals, name);
  return {
    kind: 'principal',
    name,
    uri: spiffeId(home, 'principal', name),
    hosts: [],
    usages: ['clientAuth'],
    folder,
    certificate: access.certificate,
    key: access.key,
    bundle: undefined,
    signing: { key: access.signingKey, public: join(folder, 'signing.pub') },
    secrets: [access.passwordFile],
  };
}

/**
 * Keeps under which names and addresses the home's servers are reached, where that is not loopback alone. The next mint
 * makes certificates that lack one of them again.
 */
export function nameServers(home: Home, reachedAs: ServerHosts): void {
  makeSecretFolder(home.paths.servers);
  writeFileAtomic(hostsPath(home), `${JSON.stringify(reachedAs, null, 2)}\n`);
}

function serverHosts(home: Home): ServerHosts {
  const text = readIfPresent(hostsPath(home));
  if (text === undefined) return { kafka: LOOPBACK_HOSTS, cassandra: LOOPBACK_HOSTS };
  try {
    return hostsFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new WardlineError('CONFIGURATION_INVALID', `${hostsPath(home)} does not name the servers' hosts`, {
      hint: 'it holds a list of names for each of kafka and cassandra',
      cause,
    });
  }
}

function hostsPath(home: Home): string {
  return join(home.paths.servers, 'hosts.json');
}

/** SPIFFE ID section 2: a trust domain and a path; the path begins with the installation, so that two never share a name. */
export function spiffeId(home: Home, kind: Identity['kind'], name: string): string {
  return `spiffe://wardline/${home.install}/${kind}/${name}`;
}

/** Where a principal's credentials and keys are in this home. Nothing is read: the files may not be there yet. */
export function principalAccess(home: Home, name: PrincipalName): PrincipalAccess {
  const file = (leaf: string): string => join(home.paths.principals, name, leaf);
  return {
    username: name,
    passwordFile: file('password'),
    certificate: file('tls.crt'),
    key: file('tls.key'),
    signingKey: file('signing.key'),
    keyStore: file('keystore.jwe'),
    keyStorePassphrase: file('keystore.passphrase'),
  };
}

/** The authority's files. `trust` is what everybody uses as `ca`: the current authority and, during a rotation, the one before. */
export function authorityPaths(home: Home): {
  readonly certificate: string;
  readonly key: string;
  readonly trust: string;
} {
  const file = (leaf: string): string => join(home.paths.authority, leaf);
  return { certificate: file('ca.crt'), key: file('ca.key'), trust: file('trust.crt') };
}
