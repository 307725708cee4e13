import { WardlineError } from '../../core/errors/errors.ts';
import { isWiped, type DataKey, type KeyPlace } from '../keyring/data-key.ts';

/** The form is wrong. `reason` MUST NOT repeat any of the text. */
export function malformed(reason: string): WardlineError {
  return new WardlineError('SEALED_FIELD_MALFORMED', `the value does not have the form of a sealed value: ${reason}`, {
    hint: 'what wrote this value is not Wardline, or the value was cut: compare it with the message on the topic',
  });
}

/** It opens, and holds something else than JSON. The JSON error is not kept as a cause: it quotes the text. */
export function notJsonError(): WardlineError {
  return new WardlineError('SEALED_FIELD_MALFORMED', 'the sealed value opens, but what it holds is not JSON', {
    hint: 'what sealed this value is not a Wardline source',
  });
}

export function wrongKeyError(named: string, given: string): WardlineError {
  return new WardlineError('KEY_MISMATCH', `sealed under key ${named}, not under key ${given}`, {
    hint: 'open it with the key that its header names',
  });
}

export function keyElsewhereError(kid: string, part: keyof KeyPlace): WardlineError {
  return new WardlineError('KEY_MISMATCH', `key ${kid} belongs to another ${part} than the place it is used at`, {
    hint: 'a value or a key was moved between subjects, classes or contracts: compare the row with its message on the topic',
  });
}

export function misplacedError(): WardlineError {
  return new WardlineError('SEALED_FIELD_MISPLACED', 'the sealed value is bound to another record or property', {
    hint: 'it was copied from elsewhere: compare the row with its message on the topic',
  });
}

export function alteredError(cause: unknown): WardlineError {
  return new WardlineError('SEALED_FIELD_ALTERED', 'the sealed value was changed after it was sealed', {
    hint: 'compare it with the message on the topic and with a backup',
    cause,
  });
}

/** Throws KEY_DESTROYED once the key was wiped. MUST be asked before each use: zeros would pass for a key. */
export function checkNotWiped(dataKey: DataKey): void {
  if (!isWiped(dataKey)) return;
  throw new WardlineError('KEY_DESTROYED', `key ${dataKey.kid} was wiped from this process`, {
    hint: 'ask the keyring for the current key; one that was destroyed is refused there',
  });
}
