import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import { markerText, type Home } from '../../core/home.ts';
import { authorityPaths, identities, principalAccess, type ServerName } from '../../security/certs/identities.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { stackLayout } from '../layout.ts';

/** Where a container that acts as a principal keeps what it writes: its home is read-only. */
const STATE = '/state';

/** What a container gets: files of the home, and empty folders for what else is mounted inside its volume. */
interface Parcel {
  readonly files: readonly string[];
  readonly folders?: readonly string[];
  /** Whether commands run on it: then it is a home. */
  readonly isHome?: boolean;
}

/**
 * Writes into each container's volume (`folder`/NAME) what that container needs of the home, at the same place in it: a
 * server its own configuration and certificate; a principal its own keys and, of the others, public halves alone. Files
 * are 0600, and what is the same already is left alone.
 */
export function handOut(home: Home, folder: string): void {
  for (const [name, parcel] of Object.entries(parcels(home))) write(home, join(folder, name), parcel);
}

/** Every container's parcel, by the name of its volume. */
function parcels(home: Home): Readonly<Record<string, Parcel>> {
  const { kafka, cassandra, ports } = stackLayout(home);
  const { trust } = authorityPaths(home);
  const node = [ports, cassandra.nodetoolLogging];
  const nodeFolders = [cassandra.data, cassandra.temporary];
  return {
    kafka: {
      files: [trust, kafka.properties, kafka.logging, kafka.options, bundleOf(home, 'kafka')],
      folders: [kafka.data, kafka.temporary, home.paths.logs],
    },
    // Runs once, before the broker: nobody else gets every principal's password.
    'kafka-format': { files: [kafka.formatArguments, kafka.properties], folders: [kafka.data] },
    cassandra: {
      files: [
        ...[trust, cassandra.configuration, cassandra.logging, cassandra.options, bundleOf(home, 'cassandra')],
        ...[cassandra.jmxPasswords, cassandra.jmxAccess],
      ],
      folders: [cassandra.data, cassandra.commitLog, cassandra.temporary, home.paths.logs],
    },
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
  };
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

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

function bundleOf(home: Home, server: ServerName): string {
  return identities(home).find(({ name }) => name === server)?.bundle ?? '';
}

function write(home: Home, volume: string, { files, folders = [], isHome = false }: Parcel): void {
  const within = (path: string): string => join(volume, relative(home.path, path));
  for (const path of folders) makeSecretFolder(within(path));
  for (const path of new Set(files)) {
    makeSecretFolder(dirname(within(path)));
    keep(within(path), readFileSync(path));
  }
  // Last: from here on it is a home.
  if (isHome) keep(join(volume, 'home.json'), Buffer.from(markerText({ install: home.install, state: STATE })));
}

function keep(path: string, content: Buffer): void {
  if (existsSync(path) && readFileSync(path).equals(content)) return;
  writeFileAtomic(path, content);
}
