import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import { markerText, type Home } from '../../core/home.ts';
import {
  authorityPaths,
  identities,
  OBSERVER_NAMES,
  principalAccess,
  type Identity,
  type ObserverName,
  type ServerName,
} from '../../security/certs/identities.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import type { Files } from '../configure-cassandra.ts';
import { stackLayout } from '../layout.ts';

/** Where a container that acts as a principal keeps what it writes: its home is read-only. */
const STATE = '/state';

/** What a container gets: files of the home, and empty folders for what else is mounted inside its volume. */
interface Parcel {
  readonly files: readonly string[];
  /** Files that the home has not, or not so: at the same place in it. */
  readonly own?: Files;
  readonly folders?: readonly string[];
  /** Whether commands run on it: then it is a home. */
  readonly isHome?: boolean;
}

type NamedParcel = readonly [name: string, parcel: Parcel];

/** The configuration of each node, by the name of its container. */
export type NodeFiles = Readonly<Record<ServerName, ReadonlyMap<string, Files>>>;

/**
 * Writes into each container's volume (`folder`/NAME) what that container needs of the home, at the same place in it: a
 * server its own configuration and certificate; a principal its own keys and, of the others, public halves alone. Files
 * are 0600, and what is the same already is left alone.
 */
export function handOut(home: Home, servers: NodeFiles, folder: string): void {
  const all = [...brokerParcels(home, servers.kafka), ...cassandraParcels(home, servers.cassandra), ...parcels(home)];
  for (const [name, parcel] of all) write(home, join(folder, name), parcel);
}

/** By the names of their volumes; `kafka-2` has a `kafka-2-format` before it, as each has. */
function brokerParcels(home: Home, nodes: ReadonlyMap<string, Files>): readonly NamedParcel[] {
  const { kafka } = stackLayout(home);
  return [...nodes].flatMap(([name, files]): readonly NamedParcel[] => {
    const broker = {
      files: [authorityPaths(home).trust, bundleOf(home, 'kafka')],
      own: files.filter(([path]) => [kafka.properties, kafka.logging, kafka.options].includes(path)),
      folders: [kafka.data, kafka.temporary, home.paths.logs],
    };
    // Runs once, before the broker: nobody else gets every principal's password.
    const format = {
      files: [kafka.formatArguments],
      own: files.filter(([path]) => path === kafka.properties),
      folders: [kafka.data],
    };
    return [
      [name, broker],
      [`${name}-format`, format],
    ];
  });
}

function cassandraParcels(home: Home, nodes: ReadonlyMap<string, Files>): readonly NamedParcel[] {
  const { cassandra } = stackLayout(home);
  const { configuration, logging, options, jmxPasswords, jmxAccess } = cassandra;
  const wanted = [configuration, logging, options, jmxPasswords, jmxAccess];
  return [...nodes].map(([name, files]) => [
    name,
    {
      files: [authorityPaths(home).trust, bundleOf(home, 'cassandra')],
      own: files.filter(([path]) => wanted.includes(path)),
      folders: [cassandra.data, cassandra.commitLog, cassandra.temporary, home.paths.logs],
    },
  ]);
}

/** Of those who act as a principal. */
function parcels(home: Home): readonly NamedParcel[] {
  const { cassandra, ports } = stackLayout(home);
  const node = [ports, cassandra.nodetoolLogging];
  const nodeFolders = [cassandra.data, cassandra.temporary];
  return Object.entries({
    ...Object.fromEntries(OBSERVER_NAMES.map((name) => [name, observer(home, name)])),
    // Makes everybody's role in Cassandra, and so needs everybody's password, as break-glass.
    provision: principal(home, 'break-glass', {
      files: PRINCIPAL_NAMES.map((name) => principalAccess(home, name).passwordFile),
    }),
    operator: principal(home, 'operator'),
    source: principal(home, 'source'),
    worker: principal(home, 'worker'),
    notary: principal(home, 'notary'),
    recorder: principal(home, 'recorder'),
    archiver: principal(home, 'archiver', { files: [...node, cassandra.archiverLogin], folders: nodeFolders }),
  });
}

function principal(home: Home, name: PrincipalName, more: Parcel = { files: [] }): Parcel {
  const folderOf = (of: PrincipalName): string => join(home.paths.principals, of);
  // What everybody verifies the others' signatures with.
  const publicHalves = PRINCIPAL_NAMES.flatMap((other) => filesIn(folderOf(other))).filter((file) =>
    file.endsWith('.pub'),
  );
  return {
    files: [
      ...[home.paths.configuration, home.paths.recipients, authorityPaths(home).trust],
      ...filesIn(folderOf(name)),
      ...publicHalves,
      ...more.files,
    ],
    folders: [home.paths.contracts, ...(more.folders ?? [])],
    isHome: true,
  };
}

/** Of what telemetry goes to. */
function observer(home: Home, name: ObserverName): Parcel {
  const identity = identityOf(home, name);
  return { files: [authorityPaths(home).trust, identity.certificate, identity.key] };
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

function bundleOf(home: Home, server: ServerName): string {
  return identityOf(home, server).bundle ?? '';
}

function identityOf(home: Home, server: ServerName | ObserverName): Identity {
  const found = identities(home).find(({ name }) => name === server);
  if (found === undefined) throw new Error(`${server} has no certificate`);
  return found;
}

function write(home: Home, volume: string, { files, own = [], folders = [], isHome = false }: Parcel): void {
  const within = (path: string): string => join(volume, relative(home.path, path));
  for (const path of folders) makeSecretFolder(within(path));
  const copied = [...new Set(files)].map((path) => [path, readFileSync(path)] as const);
  const rendered = own.map(([path, content]) => [path, Buffer.from(content)] as const);
  for (const [path, content] of [...copied, ...rendered]) {
    makeSecretFolder(dirname(within(path)));
    keep(within(path), content);
  }
  // Last: from here on it is a home.
  if (isHome) keep(join(volume, 'home.json'), Buffer.from(markerText({ install: home.install, state: STATE })));
}

function keep(path: string, content: Buffer): void {
  if (existsSync(path) && readFileSync(path).equals(content)) return;
  writeFileAtomic(path, content);
}
