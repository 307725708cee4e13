import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import type { Keyring } from '../../security/keyring/keyring.ts';
import type { KeyStore } from '../../security/keyring/key-store/key-store.ts';
import { dayOfDeadLetter, openForDay, openForSubject } from '../../security/sealed-field/dead-letter.ts';
import { parseSealed } from '../../security/sealed-field/parse.ts';
import { parseContent, placeOf, type DeadLetterContent } from './letter.ts';
import type { ClosedLetter } from './list.ts';

/** The keys that open dead letters: the operator's private keys of days, and the data keys of subjects. */
export interface LetterKeys {
  readonly dayKeys: Pick<KeyStore, 'deadLetterPrivateKey'>;
  readonly subjectKeys: Pick<Keyring, 'byKid'>;
}

/**
 * Opens one dead letter; whoever calls has put that on the record before. Throws KEY_NOT_FOUND once the day's key is
 * gone, KEY_DESTROYED for an erased subject, SEALED_FIELD_* where letter or headers were changed.
 */
export async function openLetter(
  letter: ClosedLetter,
  contract: CompiledContract,
  keys: LetterKeys,
): Promise<DeadLetterContent> {
  const place = placeOf(contract.id, letter);
  if (letter.subject === undefined) {
    const privateKey = keys.dayKeys.deadLetterPrivateKey(dayOfDeadLetter(letter.sealed));
    return parseContent(await openForDay(letter.sealed, privateKey, place));
  }
  const keyPlace = { contract: contract.id, subject: letter.subject, classification: 'restricted' } as const;
  const dataKey = await keys.subjectKeys.byKid(keyPlace, parseSealed(letter.sealed).header.kid);
  return parseContent(openForSubject(letter.sealed, dataKey, keyPlace, place));
}

/** Throws NOT_FOUND for a letter id that the topic does not hold. */
export function letterNotFound(id: string): WardlineError {
  return new WardlineError('NOT_FOUND', `there is no dead letter ${id}`, {
    hint: 'see their ids with: wardline dead-letters list',
  });
}
