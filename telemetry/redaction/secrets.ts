/** Names whose value is a secret wherever they stand, without case, hyphens and underscores. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'dek',
  'kek',
  'key',
  'passwd',
  'pwd',
]);

/** A name that ends so is a secret's: `kafkaPassword`, `keystore_passphrase`. Names of files (`passwordFile`) are not. */
const SECRET_ENDINGS = [
  'password',
  'passphrase',
  'secret',
  'token',
  'privatekey',
  'signingkey',
  'apikey',
  'integritykey',
];

/** Text that is a secret whatever its name: the beginning of every private key in PEM. */
const SECRET_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1/;

/** Deeper values are treated as secrets rather than searched without end. */
const DEEPEST_LEVEL = 12;

/** Whether the value under this name must not be shown. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_.\s]/g, '');
  return SECRET_NAMES.has(plain) || SECRET_ENDINGS.some((ending) => plain.endsWith(ending));
}

/** Whether the text itself is, or holds, a secret. */
export function isSecretText(text: string): boolean {
  return SECRET_TEXT.test(text);
}

/** Whether an object is a key in JWK form (RFC 7517): every one has `kty`. */
export function isJsonWebKey(value: object): boolean {
  return Object.hasOwn(value, 'kty');
}

/** Whether a JSON value holds a secret at any depth, by a member's name or by its text. */
export function holdsSecret(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return isSecretText(value);
  if (typeof value !== 'object' || value === null) return false;
  if (depth > DEEPEST_LEVEL || isJsonWebKey(value)) return true;
  return Object.entries(value).some(
    ([name, member]) => (!Array.isArray(value) && isSecretName(name)) || holdsSecret(member, depth + 1),
  );
}
