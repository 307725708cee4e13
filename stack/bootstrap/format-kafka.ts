import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { PRINCIPAL_NAMES } from '../../security/principals/names.ts';
import type { StackProgram } from '../configure.ts';
import { stackLayout } from '../layout.ts';
import { javaOptions } from '../render/java-options.ts';
import { KAFKA_SERVER_USER } from '../render/kafka-properties.ts';
import { KAFKA_MARK, wasSetUp } from '../storage/mark.ts';

const STORAGE_TOOL = 'kafka.tools.StorageTool';
/** Runs a command so that what it writes, stored keys among it, is readable by its owner only from the first moment on. */
const PRIVATELY = 'umask 077 && exec "$0" "$@"';
const TIMEOUT_MILLISECONDS = 60_000;
const UUID_BYTES = 16;

/**
 * Formats Kafka's storage once, with the SCRAM credentials of every principal and of the broker itself already in it:
 * there is no moment at which Kafka runs without them. A format that was cut short is begun again.
 * Passwords reach the tool in a 0600 file that is removed afterwards; its output, which repeats stored keys, is dropped.
 * Throws SERVER_START_FAILED where the tool fails.
 */
export async function formatKafka(home: Home, program: StackProgram): Promise<void> {
  const { kafka } = stackLayout(home);
  const hasStorage = existsSync(join(kafka.data, KAFKA_MARK));
  if (hasStorage && (existsSync(kafka.formatted) || wasSetUp(home))) return;
  // Nothing ran on this storage before it was marked as formatted: what is there is half of a format.
  rmSync(kafka.data, { recursive: true, force: true });
  makeSecretFolder(kafka.data);
  writeFileAtomic(kafka.formatArguments, javaOptions(formatOptions(home, program.jars.kafka)));
  try {
    const command = ['-c', PRIVATELY, program.java, `@${kafka.formatArguments}`];
    await promisify(execFile)('/bin/sh', command, { timeout: TIMEOUT_MILLISECONDS });
  } catch {
    // The tool's own words are dropped, and so is the error that carries them.
    throw new WardlineError('SERVER_START_FAILED', `Kafka's storage in ${kafka.data} could not be formatted`, {
      hint: `see that the disk has room and that ${kafka.data} can be written, then try again`,
    });
  } finally {
    rmSync(kafka.formatArguments, { force: true });
  }
  writeFileAtomic(kafka.formatted, `${JSON.stringify({ clusterId: clusterId(home.install) })}\n`);
}

/** Kafka's form of a UUID: 16 bytes in base64url. One that begins with `-` would read as an option. */
export function clusterId(install: string): string {
  return uuidFrom(`kafka cluster of ${install}`);
}

function uuidFrom(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  return digest.subarray(0, UUID_BYTES).toString('base64url').replace(/^-/, 'A');
}

/** KIP-853: each as ID@HOST:PORT:DIRECTORY, where the directory is the UUID that the node's storage is to get. */
function initialControllers({ install }: Home, quorum: readonly string[]): string {
  return quorum
    .map((host, index) => `${index + 1}@${host}:${uuidFrom(`kafka storage ${index + 1} of ${install}`)}`)
    .join(',');
}

/**
 * Arguments for `java`, secrets among them. What is formatted already is left as it is. `quorum` names the controllers of
 * a cluster, as HOST:PORT in the order of their ids; a lone node needs none.
 */
export function formatOptions(home: Home, jars: string, quorum: readonly string[] = []): string[] {
  const { kafka } = stackLayout(home);
  const scram = (name: string, passwordFile: string): string[] => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${name},password=${readFileSync(passwordFile, 'utf8').trim()}]`,
  ];
  return [
    '-Xmx128m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    `${jars}/*`,
    STORAGE_TOOL,
    'format',
    '--ignore-formatted',
    ...(quorum.length > 1 ? ['--initial-controllers', initialControllers(home, quorum)] : ['--standalone']),
    '--cluster-id',
    clusterId(home.install),
    '--config',
    kafka.properties,
    ...scram(KAFKA_SERVER_USER, kafka.password),
    ...PRINCIPAL_NAMES.flatMap((name) => scram(name, principalAccess(home, name).passwordFile)),
  ];
}
