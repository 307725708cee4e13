import { createPrivateKey } from 'node:crypto';
import { dirname, join } from 'node:path';
import { CompactSign, compactVerify, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { PrincipalAccess } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { readIfPresent, writeFileAtomic } from '../../core/files.ts';
import { readKeyStoreFile, writeKeyStoreFile } from './key-store/key-store-file.ts';
import {
  DEAD_LETTER_ALGORITHM,
  DEAD_LETTER_CURVE,
  isDeadLetterPrivateKey,
  SIGNER_KID,
} from './key-store/stored-keys.ts';

/** For how many days ahead dead-letter keys are made: so long a home may go without a top-up. */
const DEAD_LETTER_DAYS_AHEAD = 90;

const DAY_MILLISECONDS = 86_400_000;
const SIGNATURE = 'EdDSA';

/** The UTC day of a time, `YYYY-MM-DD`: the `kid` of that day's dead-letter key. */
function deadLetterDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/**
 * Makes the dead-letter key pairs that are missing from today to `days` ahead. The private halves go into the operator's
 * key store, and only then are the public halves published: signed by the operator, one file beside each writer's store.
 * Days gone by are never made again. Safe to call again after a crash at any point. Returns the days that were made.
 */
export async function topUpDeadLetterKeys(
  operator: PrincipalAccess,
  writers: readonly PrincipalAccess[],
  clock: Clock,
  days = DEAD_LETTER_DAYS_AHEAD,
): Promise<readonly string[]> {
  const keys = await readKeyStoreFile(operator);
  const present = new Set(keys.filter(isDeadLetterPrivateKey).map((key) => key.kid));
  const wanted = Array.from({ length: days + 1 }, (_, ahead) => deadLetterDay(clock.now() + ahead * DAY_MILLISECONDS));
  const missing = wanted.filter((day) => !present.has(day));
  const all = [...keys, ...(await Promise.all(missing.map(newKeyPair)))];
  if (missing.length > 0) await writeKeyStoreFile(operator, all);
  if (missing.length > 0 || writers.some((writer) => readIfPresent(publicKeysPath(writer)) === undefined)) {
    await publish(all, operator, writers, clock);
  }
  return missing;
}

/**
 * Destroys the private halves of all days whose letters, kept for `retention` milliseconds, are gone: what was sealed to
 * them can no longer be opened by anyone. `before` is told the days first, and awaited. Returns them.
 */
export async function destroyDeadLetterKeys(
  operator: PrincipalAccess,
  retention: number,
  clock: Clock,
  before: (days: readonly string[]) => Promise<void> = () => Promise.resolve(),
): Promise<readonly string[]> {
  // The letters of a day are gone once the retention has passed since its end, so the day itself is never the last.
  const firstKept = deadLetterDay(clock.now() - retention);
  const keys = await readKeyStoreFile(operator);
  const gone = keys.filter((key) => isDeadLetterPrivateKey(key) && (key.kid ?? '') < firstKept);
  const days = gone.map((key) => key.kid ?? '');
  if (gone.length === 0) return days;
  await before(days);
  const kept = keys.filter((key) => !gone.includes(key));
  await writeKeyStoreFile(operator, kept);
  return days;
}

/**
 * The published public halves by day. Throws KEY_NOT_YET_PUBLISHED where nothing is published, KEY_STORE_UNREADABLE where the
 * list does not carry the signature of `signer`.
 */
export async function readDeadLetterPublicKeys(
  access: PrincipalAccess,
  signer: JWK,
): Promise<ReadonlyMap<string, JWK>> {
  const path = publicKeysPath(access);
  const list = readIfPresent(path);
  if (list === undefined) {
    throw new WardlineError('KEY_NOT_YET_PUBLISHED', `${path} is missing: no dead-letter keys are published`, {
      hint: 'publish them with: wardline certs mint',
    });
  }
  try {
    const { payload } = await compactVerify(list.trim(), signer, { algorithms: [SIGNATURE] });
    const { keys } = JSON.parse(new TextDecoder().decode(payload)) as { keys: readonly JWK[] };
    return new Map(keys.map((key) => [key.kid ?? '', key]));
  } catch (cause) {
    throw new WardlineError('KEY_STORE_UNREADABLE', `${path} does not carry the operator's signature`, {
      hint: 'delete it and publish it again with: wardline certs mint',
      cause,
    });
  }
}

/** Yesterday's key stays published, for a writer whose clock is a little behind. */
async function publish(
  keys: readonly JWK[],
  operator: PrincipalAccess,
  writers: readonly PrincipalAccess[],
  clock: Clock,
): Promise<void> {
  const from = deadLetterDay(clock.now() - DAY_MILLISECONDS);
  const publicKeys = keys
    .filter((key) => isDeadLetterPrivateKey(key) && (key.kid ?? '') >= from)
    .map(({ d: _private, ...publicHalf }) => publicHalf);
  const list = await new CompactSign(new TextEncoder().encode(JSON.stringify({ keys: publicKeys })))
    .setProtectedHeader({ alg: SIGNATURE, kid: SIGNER_KID, cty: 'jwk-set+json' })
    .sign(createPrivateKey(signingKeyOf(operator)));
  for (const writer of writers) writeFileAtomic(publicKeysPath(writer), `${list}\n`);
}

async function newKeyPair(day: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(DEAD_LETTER_ALGORITHM, { crv: DEAD_LETTER_CURVE, extractable: true });
  return { ...(await exportJWK(privateKey)), use: 'enc', alg: DEAD_LETTER_ALGORITHM, kid: day };
}

function publicKeysPath(access: PrincipalAccess): string {
  return join(dirname(access.keyStore), 'dead-letter-keys.jws');
}

export function signingKeyOf(access: PrincipalAccess): string {
  const pem = readIfPresent(access.signingKey);
  if (pem !== undefined) return pem;
  throw new WardlineError('CREDENTIAL_MISSING', `${access.signingKey} is missing`, {
    hint: 'make what is missing with: wardline certs mint',
  });
}
