import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { WardlineError } from '../../core/errors/errors.ts';

/** The contracts that come with Wardline. */
export const SHIPPED_CONTRACTS = resolve(import.meta.dirname, '../contracts');

const SUFFIX = /\.ya?ml$/;
const NAMED_SUFFIX = /(\.odcs)?\.ya?ml$/;

export interface FoundContract {
  readonly id: string;
  readonly path: string;
}

/**
 * The file of a contract, given its path, its file's name with or without `.odcs.yaml`, or its id. A path that exists wins; then
 * the folders, in order. Throws CONTRACT_NOT_FOUND naming the contracts that there are.
 */
export function findContract(nameOrPath: string, folders: readonly string[]): string {
  if (existsSync(nameOrPath) && statSync(nameOrPath).isFile()) return resolve(nameOrPath);
  const contracts = listContracts(folders);
  const named = contracts.find(({ path }) => {
    const file = path.slice(path.lastIndexOf('/') + 1);
    return file === nameOrPath || file.replace(NAMED_SUFFIX, '') === nameOrPath;
  });
  const found = contracts.find(({ id }) => id === nameOrPath) ?? named;
  if (found !== undefined) return found.path;
  const known = contracts.map(({ id }) => id).join(', ') || 'none';
  throw new WardlineError('CONTRACT_NOT_FOUND', `there is no contract "${nameOrPath}", neither a file nor an id`, {
    hint: `contracts found: ${known}; give a path, or make one with: wardline contract init --path FILE`,
  });
}

/** Every file in the folders that says it is a contract, by id; the first folder wins where two have the same. */
export function listContracts(folders: readonly string[]): readonly FoundContract[] {
  const byId = new Map<string, FoundContract>();
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder)
      .filter((name) => SUFFIX.test(name))
      .sort()) {
      const path = resolve(join(folder, file));
      const id = contractId(path);
      if (id !== undefined && !byId.has(id)) byId.set(id, { id, path });
    }
  }
  return [...byId.values()];
}

function contractId(path: string): string | undefined {
  try {
    const document = parseDocument(readFileSync(path, 'utf8'), { logLevel: 'silent' });
    const id = document.get('kind') === 'DataContract' ? document.get('id') : undefined;
    return typeof id === 'string' ? id : undefined;
  } catch {
    // Not a map, or not readable: then it is no contract that anyone could mean.
    return undefined;
  }
}
