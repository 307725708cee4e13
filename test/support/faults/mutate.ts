import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { writeFileAtomic } from '../../../core/files.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { readPorts, stackLayout } from '../../../stack/index.ts';
import type { FaultStack } from './fault-stack.ts';

const PATIENCE = 60_000;

/** Servers whose configuration is changed under their supervisor's feet. */
export interface Target {
  /** Replaces a text in `server.properties`. */
  kafka(from: string, to: string): void;
  /** Sets a value in `cassandra.yaml` at its place; undefined takes it away. */
  cassandra(place: readonly string[], value: unknown): void;
  /** Replaces a text in the options of a server's JVM. */
  java(server: 'kafka' | 'cassandra', from: string, to: string): void;
  cql(statement: string): Promise<void>;
}

export function mutable(stack: FaultStack): Target {
  const { kafka, cassandra } = stackLayout(stack.home);
  const replace = (file: string, from: string, to: string): void => {
    const text = readFileSync(file, 'utf8');
    if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
    writeFileAtomic(file, text.replace(from, to));
  };
  return {
    kafka: (from, to) => replace(kafka.properties, from, to),
    java: (server, from, to) => replace({ kafka, cassandra }[server].options, from, to),
    cassandra(place, value) {
      const document = parse(readFileSync(cassandra.configuration, 'utf8')) as Record<string, unknown>;
      const [last = '', ...above] = place.toReversed();
      const within = above.reduceRight<Record<string, unknown>>(
        (at, name) => at[name] as Record<string, unknown>,
        document,
      );
      within[last] = value;
      writeFileAtomic(cassandra.configuration, stringify(document));
    },
    async cql(statement) {
      const client = cassandraClient(loadConnection(stack.home, loadSettings(stack.home)), 'break-glass');
      try {
        await client.execute(statement);
      } finally {
        await client.shutdown();
      }
    },
  };
}

/** A file of security properties with which a JVM speaks every version of TLS. */
export function weakSecurity({ folder }: FaultStack): string {
  const file = join(folder, 'weak.security');
  writeFileSync(file, 'jdk.tls.disabledAlgorithms=\n');
  return file;
}

/** Gives a file and the folders that lead to it the modes that say whether others may use it. */
export function openToOthers({ home }: FaultStack, file: string, open: boolean): void {
  chmodSync(file, open ? 0o644 : 0o600);
  for (let folder = dirname(file); folder.startsWith(home.path); folder = dirname(folder))
    chmodSync(folder, open ? 0o755 : 0o700);
}

/** Both servers anew, on the files as they are; whom they let in is not asked. */
export async function restartServers(stack: FaultStack): Promise<void> {
  await Promise.all([stack.killServer('kafka'), stack.killServer('cassandra')]);
  const ports = readPorts(stackLayout(stack.home).ports);
  await Promise.all([ports?.kafkaClient, ports?.cassandraClient].map((port) => listens(port ?? 0)));
}

async function listens(port: number): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (reached) return;
    if (Date.now() > deadline) throw new Error(`nobody listens on ${port}`);
    await sleep(100);
  }
}
