import { SENSITIVE_CLASSES, type SensitiveClass } from '../../core/classification.ts';
import type { EscrowedKey, KeyEscrow } from '../../security/keyring/key-escrow.ts';
import { subjectTag } from '../../security/keyring/subject-tag.ts';
import { escrowNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { encryptBytes } from '../recipients/age-file.ts';
import { erasedText, keyText, type ErasedSubject } from './documents.ts';
import { listEscrow } from './listing.ts';

export interface KeyEscrowParts {
  readonly store: Pick<ObjectStore, 'put' | 'list' | 'remove'>;
  readonly install: string;
  /** Whom to encrypt to, asked at each object: they change while a process runs. */
  readonly recipients: () => readonly string[];
  /** A contract's integrity key: it names subjects, so that a name does not tell who they are. */
  readonly integrityKey: (contract: string) => Uint8Array;
}

/** The escrow of data keys: one object a key, encrypted to the recovery identity, named without revealing the subject. */
export interface SubjectEscrow extends KeyEscrow {
  /**
   * Removes every copy of a subject's keys, in every class, after stating there that the subject is erased. The keys
   * MUST be destroyed in the table before. Safe to call again after a failure at any point. Returns how many it removed.
   */
  erase(contract: string, subject: string, time: number): Promise<number>;
  /** States of one class that a subject is erased. */
  markErased(erased: ErasedSubject): Promise<void>;
  /** A subject's name within its contract. */
  tag(contract: string, subject: string): string;
}

export function createKeyEscrow({ store, install, recipients, integrityKey }: KeyEscrowParts): SubjectEscrow {
  const names = escrowNames(install);
  const keys = new Map<string, Uint8Array>();
  const integrityKeyOf = (contract: string): Uint8Array => {
    const key = keys.get(contract) ?? integrityKey(contract);
    keys.set(contract, key);
    return key;
  };
  const tag = (contract: string, subject: string): string => subjectTag(integrityKeyOf(contract), subject);
  const nameOf = ({ contract, subject, classification, generation, kid }: EscrowedKey): string =>
    names.key(contract, classification, tag(contract, subject), generation, kid);

  const markErased = async (erased: ErasedSubject): Promise<void> => {
    const { contract, subject, classification } = erased;
    const object = await encryptBytes(recipients(), erasedText(erased, integrityKeyOf(contract)));
    await store.put(names.erased(contract, classification, tag(contract, subject)), object);
  };

  const eraseClass = async (contract: string, subject: string, classification: SensitiveClass, erasedAt: number) => {
    // First the statement: a restore of what stands then must not bring back what is about to go.
    await markErased({ contract, subject, classification, erasedAt });
    let removed = 0;
    for await (const { name, kind } of listEscrow(
      store,
      names.subject(contract, classification, tag(contract, subject)),
    )) {
      if (kind !== 'key') continue;
      await store.remove(name);
      removed += 1;
    }
    return removed;
  };

  return {
    tag,
    markErased,
    async keep(key) {
      await store.put(nameOf(key), await encryptBytes(recipients(), keyText(key)));
    },
    takeBack: (key) => store.remove(nameOf(key)),
    async erase(contract, subject, time) {
      let removed = 0;
      for (const classification of SENSITIVE_CLASSES)
        removed += await eraseClass(contract, subject, classification, time);
      return removed;
    },
  };
}
