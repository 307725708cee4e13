import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AuditLog, EventStatement } from '../audit/event/event.ts';
import { canonicalJson } from '../core/encoding/canonical-json.ts';
import { settingsSchema, type Settings } from '../core/configuration.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../core/files.ts';
import type { Home } from '../core/home.ts';
import type { JsonValue } from '../core/record.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import type { PrincipalName } from '../security/principals/names.ts';
import type { CommandContext } from './context.ts';

const settingsRecord = z.record(z.string(), z.string());
const contractRecord = z.strictObject({ version: z.string(), hash: z.string(), document: z.string().default('') });

/** A contract as it was last used in this home. */
export type ContractInForce = z.infer<typeof contractRecord>;

/**
 * Puts on the record that the settings are not those that were last used in this home, those of a new home being the
 * defaults. The event names the settings that changed and a hash over all of them, never a value: an address may hold a
 * password. `append` is not called where nothing changed.
 */
export async function recordSettings(context: CommandContext, append: (statement: EventStatement) => Promise<void>) {
  const home = context.home();
  const path = join(home.paths.inForce, 'settings.json');
  const before = readRecord(path, settingsRecord) ?? hashed(settingsSchema.parse({}));
  const now = hashed(context.settings());
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  const changed = names.filter((name) => before[name] !== now[name]);
  if (changed.length === 0) return;
  await append({
    action: 'config.change',
    object: { type: 'settings', id: home.install },
    outcome: 'success',
    details: { changed, hash: hashOf(now), previous_hash: hashOf(before) },
  });
  writeRecord(home, path, now);
}

/** The same on Kafka, as a principal; and what a run gives every record by `--set`: the fields, not their values. */
export async function recordConfiguration(
  context: CommandContext,
  principal: PrincipalName,
  contract: CompiledContract,
  assigned: Readonly<Record<string, string>> = {},
): Promise<void> {
  let audit: AuditLog | undefined;
  const append = (statement: EventStatement): Promise<void> => (audit ??= context.audit(principal)).append(statement);
  const fields = Object.keys(assigned);
  const { id, version, hash: contractHash } = contract;
  try {
    await recordSettings(context, append);
    if (fields.length > 0)
      await append({
        action: 'config.change',
        object: { type: 'contract', id },
        outcome: 'success',
        contract: { id, version, hash: contractHash },
        details: { set: fields },
      });
  } finally {
    await audit?.close();
  }
}

/** The contract of this id as it was last used in this home, or undefined. */
export function contractInForce(home: Home, id: string): ContractInForce | undefined {
  return readRecord(contractPath(home, id), contractRecord);
}

/** Keeps that this is the contract in force from now on, with its file as it is. Call it when that is on the record. */
export function keepContractInForce(home: Home, { id, version, hash: contractHash }: CompiledContract, file: string) {
  writeRecord(home, contractPath(home, id), { version, hash: contractHash, document: readFileSync(file, 'utf8') });
}

/** The contracts in force in this home, with their files as they were when they came into force. */
export function contractsInForce(home: Home): { id: string; version: string; document: string }[] {
  if (!existsSync(home.paths.inForce)) return [];
  return readdirSync(home.paths.inForce)
    .toSorted()
    .flatMap((file) => {
      const [, encoded] = CONTRACT_FILE.exec(file) ?? [];
      if (encoded === undefined) return [];
      const id = decodeURIComponent(encoded);
      const record = contractInForce(home, id);
      return record === undefined ? [] : [{ id, version: record.version, document: record.document }];
    });
}

const CONTRACT_FILE = /^contract-(.+)\.json$/;

function contractPath({ paths }: Home, id: string): string {
  return join(paths.inForce, `contract-${encodeURIComponent(id)}.json`);
}

/** The hash of each setting, by its name such as `worker.windowRecords`. */
function hashed(settings: Settings): Readonly<Record<string, string>> {
  return Object.fromEntries(leavesOf(settings as unknown as JsonValue, ''));
}

function leavesOf(value: JsonValue, name: string): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, hashOf(value)]];
  return Object.entries(value).flatMap(([key, member]) => leavesOf(member, name === '' ? key : `${name}.${key}`));
}

function hashOf(value: JsonValue): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

/** What cannot be read counts as not there: then what is in force is stated once more. */
function readRecord<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readIfPresent(path) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

function writeRecord({ paths }: Home, path: string, record: JsonValue): void {
  makeSecretFolder(paths.inForce);
  writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`);
}
