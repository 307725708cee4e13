import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { WardlineError } from './errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from './files.ts';

/** The layout of a home that this version reads and writes. */
export const HOME_FORMAT = 1;

/**
 * A home: the one folder that holds an installation's certificates, keys, servers' data, settings and local logs. Where it
 * must stay read-only, its marker names a second folder for what processes write.
 */
export interface Home {
  readonly path: string;
  /** Identifies the installation in audit events and epochs; made once, never changed. */
  readonly install: string;
  readonly paths: HomePaths;
}

type HomePaths = ReturnType<typeof homePaths>;

/** Every place in a home, by name: nobody else joins path fragments. `state` is where what processes write is kept. */
export function homePaths(path: string, state: string = path) {
  return {
    marker: join(path, 'home.json'),
    configuration: join(path, 'wardline.yaml'),
    connection: join(path, 'connection.yaml'),
    authority: join(path, 'authority'),
    principals: join(path, 'principals'),
    servers: join(path, 'servers'),
    kafka: join(path, 'kafka'),
    cassandra: join(path, 'cassandra'),
    supervisor: join(state, 'supervisor'),
    positions: join(state, 'positions'),
    contracts: join(path, 'contracts'),
    telemetry: join(state, 'telemetry'),
    logs: join(state, 'logs'),
    /** Settings and contracts as they were last used: what differs from them is an audit event. */
    inForce: join(state, 'in-force'),
    /** How far the recorder has come, and its lock. */
    recorder: join(state, 'recorder'),
    /** Checkpoints of the audit log, as the notary signed them. */
    checkpoints: join(state, 'checkpoints'),
    /** How far the audit log was verified. */
    verified: join(state, 'audit-verified.json'),
    /** The recovery identity until it is taken away, and how far archiver and schedule have come. */
    backup: join(state, 'backup'),
    /** Who can read backups. */
    recipients: join(path, 'backup', 'recipients.json'),
    /** Where backups and escrowed keys go unless the settings name another place. */
    backupStore: join(state, 'backup-store'),
    escrowStore: join(state, 'escrow-store'),
    /** Homes of drills while they go on. */
    drills: join(state, 'drills'),
    /** Audit events of acts that must be possible while Kafka is down. */
    spool: join(state, 'spool'),
  } as const;
}

/**
 * Which home a command works on: the flag, else WARDLINE_HOME, else the nearest `.wardline` upward from the working folder.
 * Throws HOME_NOT_FOUND where there is none of these.
 */
export function resolveHome(flag: string | undefined, environment: NodeJS.ProcessEnv, workingFolder: string): string {
  const named = flag ?? environment['WARDLINE_HOME'];
  if (named !== undefined && named !== '') return resolve(workingFolder, named);
  for (let folder = resolve(workingFolder); ; folder = dirname(folder)) {
    const candidate = join(folder, '.wardline');
    if (existsSync(join(candidate, 'home.json'))) return candidate;
    if (dirname(folder) === folder) break;
  }
  throw new WardlineError(
    'HOME_NOT_FOUND',
    `no home: neither --home nor WARDLINE_HOME is set, and no .wardline folder is found from ${workingFolder} upward`,
    {
      hint: 'make one with: wardline up --home .wardline',
    },
  );
}

/** Opens an existing home. Throws HOME_NOT_FOUND, or HOME_FORMAT where another version wrote it. */
export function openHome(path: string): Home {
  const text = readIfPresent(homePaths(path).marker);
  if (text === undefined) {
    throw new WardlineError('HOME_NOT_FOUND', `${path} is not a home: it has no home.json`, {
      hint: `make it one with: wardline up --home ${path}`,
    });
  }
  const marker = parseMarker(text, path);
  if (marker.format !== HOME_FORMAT) {
    const newer = marker.format > HOME_FORMAT;
    throw new WardlineError(
      'HOME_FORMAT',
      `${path} has home format ${marker.format}; this version of wardline works with format ${HOME_FORMAT}`,
      {
        hint: newer
          ? 'use the newer wardline that wrote this home, or choose another home'
          : 'this format is no longer read: bring the home forward with the version that CHANGELOG.md names, or choose another home',
      },
    );
  }
  return { path, install: marker.install, paths: homePaths(path, marker.state) };
}

/** Opens the home at `path`, making it first where there is none. Safe to call again after a crash at any point. */
export function openOrCreateHome(path: string): Home {
  const paths = homePaths(path);
  if (!existsSync(paths.marker)) {
    makeSecretFolder(path);
    writeFileAtomic(paths.marker, markerText({ install: randomUUID() }));
  }
  return openHome(path);
}

/** The content of a home's marker; `state`, an absolute path, is where processes write when that is not the home itself. */
export function markerText({ install, state }: { readonly install: string; readonly state?: string }): string {
  return `${JSON.stringify({ format: HOME_FORMAT, install, state }, null, 2)}\n`;
}

interface Marker {
  readonly format: number;
  readonly install: string;
  readonly state?: string | undefined;
}

function parseMarker(text: string, path: string): Marker {
  try {
    const marker: unknown = JSON.parse(text);
    if (typeof marker === 'object' && marker !== null && 'format' in marker && 'install' in marker) {
      const { format, install } = marker;
      const state = 'state' in marker ? marker.state : undefined;
      const isKnown = state === undefined || (typeof state === 'string' && isAbsolute(state));
      if (typeof format === 'number' && typeof install === 'string' && isKnown) return { format, install, state };
    }
  } catch {
    // Reported below: what is wrong is the same for a reader whether it is no JSON or the wrong JSON.
  }
  throw new WardlineError('HOME_FORMAT', `${path}/home.json is damaged`, {
    hint: 'restore home.json from a copy, or choose another home',
  });
}
