import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Programs that the product is measured against. They have package files of their own, so that installing the product stays small. */
export type PeerName = 'spark' | 'confluent' | 'medusa';

interface Peer {
  /** Stands there once the peer is complete. */
  readonly proof: readonly string[];
  readonly steps: readonly (readonly [program: string, ...argumentsOf: string[]])[];
}

const FOLDER = import.meta.dirname;
const JARS = join('target', 'jars');
const PEERS: Readonly<Record<PeerName, Peer>> = {
  confluent: {
    proof: [join('node_modules', '@confluentinc', 'schemaregistry', 'package.json')],
    steps: [['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']],
  },
  medusa: {
    proof: [join('.venv', 'bin', 'medusa')],
    steps: [
      ['python3', '-m', 'venv', '.venv'],
      [join(FOLDER, 'medusa', '.venv', 'bin', 'pip'), 'install', '--quiet', '-r', 'requirements.txt'],
    ],
  },
  spark: {
    proof: [join('.venv', 'bin', 'spark-submit'), JARS],
    steps: [
      ['python3', '-m', 'venv', '.venv'],
      [join(FOLDER, 'spark', '.venv', 'bin', 'pip'), 'install', '--quiet', '-r', 'requirements.txt'],
      [
        'mvn',
        '--batch-mode',
        '--quiet',
        '--strict-checksums',
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${JARS}`,
      ],
    ],
  },
};

/** Whether a peer can be measured against. */
export function isInstalled(name: PeerName): boolean {
  return PEERS[name].proof.every((path) => existsSync(join(FOLDER, name, path)));
}

/** Installs what is missing, with the package managers as the user has configured them. Throws where one of them fails. */
export async function installPeers(report: (line: string) => void): Promise<void> {
  for (const name of ['confluent', 'medusa', 'spark'] as const) {
    if (isInstalled(name)) continue;
    report(`installing the peer ${name}`);
    for (const [program, ...argumentsOf] of PEERS[name].steps)
      await promisify(execFile)(program, argumentsOf, { cwd: join(FOLDER, name) });
  }
}

/** The Python that has Spark. */
export function sparkPython(): string {
  return join(FOLDER, 'spark', '.venv', 'bin', 'python');
}

/** The command of cassandra-medusa. */
export function medusaCommand(): string {
  return join(FOLDER, 'medusa', '.venv', 'bin', 'medusa');
}
