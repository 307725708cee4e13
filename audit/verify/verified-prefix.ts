import { z } from 'zod';
import { readIfPresent, writeFileAtomic } from '../../core/files.ts';
import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { blockStart } from '../store/blocks.ts';
import type { VerifiedPrefix } from './verify-epoch.ts';

/** How far a log was found whole. */
export interface SavedPrefix {
  readonly epoch: number;
  readonly prefix: VerifiedPrefix;
}

const schema = z.strictObject({
  format: z.literal(1),
  install: z.string(),
  epoch: z.int().min(1),
  block: z.int().min(1),
  /** Roots of the full subtrees, base64, by level; null where none waits. */
  subtrees: z.array(z.base64().nullable()).max(53),
});

/** Reads how far the log of this installation was verified, or undefined where nothing readable says so. */
export async function loadPrefix(file: string, install: string): Promise<SavedPrefix | undefined> {
  const saved = schema.safeParse(parsed(readIfPresent(file))).data;
  if (saved?.install !== install) return undefined;
  const roots = saved.subtrees.map((text) => (text === null ? undefined : Buffer.from(text, 'base64')));
  const size = blockStart(saved.block);
  const tree = await MerkleAccumulator.resume(size, (level) =>
    Promise.resolve(roots[level] ?? Buffer.alloc(HASH_BYTES)),
  );
  return { epoch: saved.epoch, prefix: { block: saved.block, tree } };
}

/** Keeps how far the log was verified. The file is believed later: whoever can write it can hide what is before it. */
export function savePrefix(file: string, install: string, { epoch, prefix }: SavedPrefix): void {
  const subtrees = prefix.tree
    .subtrees()
    .map((root) => (root === undefined ? null : Buffer.from(root).toString('base64')));
  writeFileAtomic(file, `${JSON.stringify({ format: 1, install, epoch, block: prefix.block, subtrees })}\n`);
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
