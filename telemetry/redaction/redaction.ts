import { isSensitive, type Classification } from '../../core/classification.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { isJsonWebKey, isSecretName, isSecretText } from './secrets.ts';

/** What stands in place of a value that may not be shown. */
export const MASK = '•••';

/** Deeper values are masked rather than searched without end. */
const DEEPEST_LEVEL = 8;

/**
 * The value as it may be logged: secrets masked at any depth by name and by text, bytes replaced by their number, errors
 * by their code and place. Never changes what it is given.
 */
export function redactSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return isSecretText(value) ? MASK : value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth > DEEPEST_LEVEL || isJsonWebKey(value)) return MASK;
  if (Array.isArray(value)) return value.map((member) => redactSecrets(member, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, isSecretName(name) ? MASK : redactSecrets(member, depth + 1)]),
  );
}

/**
 * An error without its input: code, message and hint of ours, which never hold a value; of a foreign one only its class,
 * code and stack frames, since parsers and drivers quote what they were given.
 */
export function redactError(error: Error, depth = 0): Record<string, unknown> {
  const { cause } = error;
  const ours = error instanceof WardlineError && !(cause instanceof Error && cause.message === error.message);
  const { code, syscall } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(ours ? { message: error.message, hint: error.hint } : {}),
    frames: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim()),
    ...(cause instanceof Error && depth < DEEPEST_LEVEL ? { cause: redactError(cause, depth + 1) } : {}),
  };
}

/**
 * Returns a function that masks a record for people: every property whose classification is sensitive, and every one that
 * the contract does not know. `undefined` and `null` are masked too: absence may tell.
 */
export function redactRecord(
  properties: Iterable<{ readonly name: string; readonly classification: Classification }>,
): (record: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  const shown = new Set(
    [...properties].filter(({ classification }) => !isSensitive(classification)).map(({ name }) => name),
  );
  return (record) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, shown.has(name) ? value : MASK]));
}
