import { spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSecretFolder, writeFileAtomic } from '../../../../core/files.ts';
import type { Connection } from '../../../../core/connection.ts';
import type { Home } from '../../../../core/home.ts';
import { credentials } from '../../../../security/connect/credentials.ts';
import { stackLayout } from '../../../../stack/layout.ts';
import { LOOPBACK, readPorts } from '../../../../stack/ports.ts';
import { provideJars } from '../../../../stack/provide/jars.ts';
import { requireJava } from '../../../../stack/provide/prerequisites.ts';
import { nodetoolJvmOptions } from '../../../../stack/render/java-options.ts';
import { medusaCommand } from '../install.ts';

/** cassandra-medusa on a home's Cassandra, as whoever may make backups there. */
export interface Medusa {
  /** Makes a backup of this name into a folder, of what the ones before lack. Returns the seconds that the command took. */
  backup(name: string): Promise<number>;
}

const PRINCIPAL = 'archiver';
/** Files that it copies at once; its default is one. */
const TRANSFERS = 4;

/** Writes what it needs into `folder`, its store too: its configuration, and a nodetool, which it calls for snapshots. */
export async function setUpMedusa(home: Home, connection: Connection, folder: string): Promise<Medusa> {
  makeSecretFolder(folder);
  const { cassandra } = stackLayout(home);
  const ports = readPorts(stackLayout(home).ports);
  const own = credentials(connection, PRINCIPAL).cassandra;
  const nodetool = join(folder, 'nodetool');
  const [java, jars] = await Promise.all([requireJava(process.env), provideJars(process.env, () => undefined)]);
  const options = nodetoolJvmOptions(jars.cassandra, cassandra.temporary, cassandra.nodetoolLogging);
  writeFileAtomic(nodetool, `#!/bin/sh\nexec ${[java, ...options].map(shellWord).join(' ')} "$@"\n`);
  chmodSync(nodetool, 0o700);
  const configuration = join(folder, 'medusa.ini');
  const sections = {
    cassandra: {
      config_file: cassandra.configuration,
      cql_username: own.username,
      certfile: own.tls.ca,
      usercert: own.tls.cert,
      userkey: own.tls.key,
      nodetool_executable: nodetool,
      nodetool_flags: '',
      nodetool_username: PRINCIPAL,
      nodetool_password_file_path: cassandra.archiverLogin,
      nodetool_host: LOOPBACK,
      nodetool_port: ports?.cassandraJmx ?? 0,
      resolve_ip_addresses: 'False',
      use_sudo: 'False',
    },
    storage: {
      storage_provider: 'local',
      bucket_name: 'store',
      base_path: folder,
      fqdn: LOOPBACK,
      concurrent_transfers: TRANSFERS,
      // Nothing is held back: its default is 50MB/s.
      transfer_max_bandwidth: '10GB/s',
    },
  };
  makeSecretFolder(join(folder, 'store'));
  writeFileAtomic(configuration, iniText(sections));
  const environment = { ...process.env, MEDUSA_CQL_PASSWORD: readFileSync(own.passwordFile, 'utf8').trim() };
  return {
    backup: (name) =>
      timed(medusaCommand(), ['--config-file', configuration, 'backup', '--backup-name', name], environment),
  };
}

function iniText(sections: Readonly<Record<string, Readonly<Record<string, string | number>>>>): string {
  const lines = Object.entries(sections).flatMap(([name, values]) => [
    `[${name}]`,
    ...Object.entries(values).map(([key, value]) => `${key} = ${value}`),
  ]);
  return `${lines.join('\n')}\n`;
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function timed(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const began = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0
        ? resolve((performance.now() - began) / 1000)
        : reject(new Error(`cassandra-medusa ended with ${code ?? 'a signal'}: ${said}`)),
    );
  });
}
