import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { PartitionEnd } from './chunk/seal.ts';
import type { ChainEnd } from './chunk/write-chunk.ts';
import type { ArchivePosition } from './position.ts';
import { readSeal } from './read/chain.ts';

/** Where archiving of a topic goes on. */
export interface FoundEnd {
  readonly chain: ChainEnd;
  readonly ends: readonly PartitionEnd[];
  /** The store does not hold the chunk that was remembered as the last: what it and others held is gone from there. */
  readonly isShortened: boolean;
}

const SEAL_NAME = /\/(\d{12})\.jws$/;

/**
 * Finds the end of a topic's chain in the store: from the remembered chunk onward where that is there, since a chain may
 * have a million of them, and otherwise by a listing. Throws BACKUP_DAMAGED where the last seal is not the archiver's:
 * nothing is written behind what cannot be linked to.
 */
export async function findChainEnd(
  store: Pick<ObjectStore, 'get' | 'stat' | 'list'>,
  install: string,
  topic: string,
  keys: TrustedKeys,
  remembered: ArchivePosition | undefined,
): Promise<FoundEnd> {
  const names = storeNames(install);
  const isThere = async (sequence: number): Promise<boolean> =>
    (await store.stat(names.chunkSeal(topic, sequence))) !== undefined;
  let last: number | undefined;
  if (remembered !== undefined && (await isThere(remembered.sequence))) {
    last = remembered.sequence;
    while (await isThere(last + 1)) last += 1;
  } else
    for await (const { name } of store.list(names.log(topic))) {
      const [, text] = SEAL_NAME.exec(name) ?? [];
      if (text !== undefined) last = Number(text);
    }
  if (last === undefined)
    return { chain: { sequence: 0, previous: null }, ends: [], isShortened: remembered !== undefined };
  const { seal, sha256 } = await readSeal(store, install, topic, last, keys);
  const isOther = remembered !== undefined && (last < remembered.sequence || isReplaced(remembered, last, sha256));
  return { chain: { sequence: last + 1, previous: sha256 }, ends: seal.ends, isShortened: isOther };
}

function isReplaced(remembered: ArchivePosition, last: number, sha256: string): boolean {
  return last === remembered.sequence && sha256 !== remembered.seal;
}
