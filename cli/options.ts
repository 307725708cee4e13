import { InvalidArgumentError } from 'commander';

/** Parses an option that is a whole number from 0 up. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return Number(text);
}

/** Collects `--set FIELD=VALUE`, given any number of times. */
export function collectAssignment(
  text: string,
  previous: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('FIELD=VALUE is needed');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
