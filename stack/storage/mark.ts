import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { stackLayout, type ServerName } from '../layout.ts';

const bootstrapMark = z.object({
  /** Digest of the rights that the servers were given. */
  rights: z.string(),
  /** What the mark in Cassandra's own data says; homes of before have none. */
  storage: z.string().optional(),
});
const storageMark = z.object({ storage: z.string() });

/** Written by Kafka's own formatter; without it a broker does not start. */
export const KAFKA_MARK = 'meta.properties';

/** Whether the servers were given rights of this digest, on the storage that is there. */
export function isMarked(home: Home, rights: string): boolean {
  const mark = readMark(home);
  return mark?.rights === rights && mark.storage !== undefined && lostServers(home).length === 0;
}

/**
 * Notes that both servers were set up, in the home and within Cassandra's data: where the two no longer agree, the data
 * is not what was set up.
 */
export function markBootstrapped(home: Home, rights: string): void {
  const { supervisor, cassandra } = stackLayout(home);
  const storage = randomUUID();
  makeSecretFolder(cassandra.data);
  writeFileAtomic(cassandra.storageMark, `${JSON.stringify({ storage })}\n`);
  writeFileAtomic(supervisor.bootstrapped, `${JSON.stringify({ rights, storage })}\n`);
}

export function digestOfRights(rows: unknown): string {
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

/** The servers that were set up and whose data is gone since: removed, or exchanged for that of another. */
export function lostServers(home: Home): readonly ServerName[] {
  const { kafka, cassandra } = stackLayout(home);
  const storage = readMark(home)?.storage;
  if (storage === undefined) return [];
  const found = storageMark.safeParse(parsed(cassandra.storageMark)).data?.storage;
  return [
    ...(existsSync(join(kafka.data, KAFKA_MARK)) ? [] : (['kafka'] as const)),
    ...(found === storage ? [] : (['cassandra'] as const)),
  ];
}

/** Whether both servers were set up once. */
export function wasSetUp(home: Home): boolean {
  return readMark(home) !== undefined;
}

function readMark(home: Home): z.infer<typeof bootstrapMark> | undefined {
  return bootstrapMark.safeParse(parsed(stackLayout(home).supervisor.bootstrapped)).data;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readIfPresent(file) ?? 'null');
  } catch {
    return null;
  }
}
