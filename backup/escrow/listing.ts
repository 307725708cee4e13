import { SENSITIVE_CLASSES, type SensitiveClass } from '../../core/classification.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** An object of the escrow, by what its name says. Who the subject is its content alone tells. */
export type EscrowEntry = {
  readonly name: string;
  readonly classification: SensitiveClass;
  readonly tag: string;
} & (
  | { readonly kind: 'key'; readonly generation: number; readonly kid: string }
  /** States that the subject is erased. */
  | { readonly kind: 'erased' }
);

const CLASSES = SENSITIVE_CLASSES.join('|');
const NAME = new RegExp(`/keys/[0-9a-f]{32}/(${CLASSES})/([\\w-]+)\\.(?:erased|(\\d+)\\.([\\w-]+))\\.age$`);

/**
 * Lists data keys and statements of erasure whose names begin with `prefix`, those of one subject and class next to one
 * another. What has no such name was not put there by an escrow, and is passed over.
 */
export async function* listEscrow(store: Pick<ObjectStore, 'list'>, prefix: string): AsyncGenerator<EscrowEntry> {
  for await (const { name } of store.list(prefix)) {
    const entry = escrowEntry(name);
    if (entry !== undefined) yield entry;
  }
}

function escrowEntry(name: string): EscrowEntry | undefined {
  const [, className, tag, generation, kid] = NAME.exec(name) ?? [];
  const classification = SENSITIVE_CLASSES.find((known) => known === className);
  if (classification === undefined || tag === undefined) return undefined;
  const about = { name, classification, tag };
  if (generation === undefined || kid === undefined) return { ...about, kind: 'erased' };
  return { ...about, kind: 'key', generation: Number(generation), kid };
}
