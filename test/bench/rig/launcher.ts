import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const LAUNCHER = resolve(import.meta.dirname, '../../../wardline');

/**
 * The options that the `wardline` command gives to Node: what the bench starts runs under the same, so that memory and
 * speed are those of the product. Throws where the launcher does not start Node in the form that is known here.
 */
export function launcherFlags(script = readFileSync(LAUNCHER, 'utf8')): readonly string[] {
  const flags = /^exec "\$node"((?: --[a-z0-9=-]+)*) "\$main"/im.exec(script)?.[1];
  if (flags === undefined) throw new Error('the launcher does not start Node as the bench expects');
  return flags.split(' ').filter((flag) => flag !== '');
}

/**
 * The environment that the `wardline` command sets for Node where the caller's has nothing else, for the same reason.
 * Throws where the launcher sets it in another form than is known here.
 */
export function launcherEnvironment(script = readFileSync(LAUNCHER, 'utf8')): Readonly<Record<string, string>> {
  const set = [...script.matchAll(/^(MALLOC_\w+)=\$\{\1:-(\d+)\}$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  if (set.length === 0) throw new Error('the launcher does not set the environment that the bench expects');
  return Object.fromEntries(set) as Record<string, string>;
}
