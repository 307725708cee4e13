import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { loadContract, SHIPPED_CONTRACTS, type CompiledContract } from '../../../governance/contract/index.ts';

/** A contract that the bench works with, and where its file is. */
export interface BenchContract {
  readonly contract: CompiledContract;
  readonly path: string;
}

export interface Variant {
  /** Put behind the contract's id, and its topic's and table's name. */
  readonly suffix: string;
  /** Properties that are personal; every other is internal. Undefined leaves all as they are. */
  readonly sealed: readonly string[] | undefined;
  /** The properties that are kept; undefined keeps all. */
  readonly only: readonly string[] | undefined;
}

export const SMART_HOME = join(SHIPPED_CONTRACTS, 'smart-home.odcs.yaml');

/** The same contract with nothing to seal: what a pipeline without protection would be given. */
export const CLEAR: Variant = { suffix: 'clear', sealed: [], only: undefined };

/** The contract as it is, under a name of its own: a topic without a backlog. */
export const UNDELAYED: Variant = { suffix: 'undelayed', sealed: undefined, only: undefined };

const SIX = ['home_office_kw', 'kitchen12_kw', 'kitchen14_kw', 'kitchen38_kw', 'microwave_kw', 'living_room_kw'];

/** The key and six sealed fields: as much as the peer encrypts, and little else that would hide it. */
export const SIX_SEALED: Variant = { suffix: 'six', sealed: SIX, only: ['home_id', 'day', 'ts', ...SIX] };

/** Writes a variant of the smart-home contract into `folder` and compiles it. */
export function variantOf(folder: string, { suffix, sealed, only }: Variant): BenchContract {
  const document = parseDocument(readFileSync(SMART_HOME, 'utf8'));
  const properties = document.getIn(['schema', 0, 'properties']);
  if (!isSeq(properties)) throw new TypeError('the smart-home contract has no properties');
  properties.items = properties.items.filter((item) => isMap(item) && only?.includes(nameOf(item)) !== false);
  for (const property of properties.items) {
    if (isMap(property) && sealed !== undefined)
      property.set('classification', sealed.includes(nameOf(property)) ? 'personal' : 'internal');
  }
  document.set('id', `${String(document.get('id'))}-${suffix}`);
  const physicalName = ['schema', 0, 'physicalName'];
  document.setIn(physicalName, `${String(document.getIn(physicalName))}_${suffix}`);
  const path = join(folder, `smart-home-${suffix}.odcs.yaml`);
  writeFileSync(path, document.toString());
  return { contract: loadContract(path), path };
}

function nameOf(property: YAMLMap): string {
  return String(property.get('name'));
}
