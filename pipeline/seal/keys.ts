import { randomBytes } from 'node:crypto';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import type { Keyring } from '../../security/keyring/keyring.ts';
import type { KeyStore } from '../../security/keyring/key-store/key-store.ts';
import { sealForDay, sealForSubject } from '../../security/sealed-field/dead-letter.ts';
import type { SealContent } from '../dead-letters/write.ts';
import type { ResolveKeys } from './pool.ts';
import type { ThreadKey } from './protocol.ts';

/**
 * How long a seal thread may use a key before it asks again, in milliseconds. The keyring asks the table for as long
 * at most, so a destroyed key is out of use everywhere well within 10 s.
 */
const THREAD_KEY_LIFE = 2000;

/** Resolves what seal threads ask for from the keyring. A destroyed key is an answer, not an error. */
export function keyResolver(keyring: Keyring, contract: CompiledContract, now: () => number): ResolveKeys {
  return (needs) =>
    Promise.all(
      needs.map(async ({ subject, classification, exhausted }): Promise<ThreadKey> => {
        const place = { contract: contract.id, subject, classification };
        try {
          const dataKey = exhausted === undefined ? await keyring.current(place) : await keyring.next(place, exhausted);
          return { subject, classification, dataKey, validUntil: now() + THREAD_KEY_LIFE };
        } catch (error) {
          if (asWardlineError(error).code !== 'KEY_DESTROYED') throw error;
          return { subject, classification, dataKey: undefined, validUntil: now() + THREAD_KEY_LIFE };
        }
      }),
    );
}

/** Seals dead letters to the day's public key: the way of a process that holds no data keys, and of records without a subject. */
export function sealToDay(keyStore: KeyStore, now: () => number): SealContent {
  return async (content, _subject, place) => {
    const publicKey = await keyStore.deadLetterPublicKey(new Date(now()).toISOString().slice(0, 10));
    return { sealed: await sealForDay(publicKey, content, place), subject: undefined };
  };
}

/** Seals dead letters under their subject's key of class `restricted`; where that key is destroyed or the subject unknown, to the day's. */
export function sealToSubject(keyring: Keyring, contract: CompiledContract, toDay: SealContent): SealContent {
  return async (content, subject, place) => {
    if (subject === undefined) return toDay(content, undefined, place);
    try {
      const dataKey = await keyring.current({ contract: contract.id, subject, classification: 'restricted' });
      return { sealed: sealForSubject(dataKey, content, place, randomBytes), subject };
    } catch (error) {
      if (asWardlineError(error).code !== 'KEY_DESTROYED') throw error;
      return toDay(content, undefined, place);
    }
  };
}
