import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, SECRET_FOLDER_MODE, writeFileAtomic } from '../../core/files.ts';
import { homePaths, markerText, openHome, type Home } from '../../core/home.ts';
import { stackLayout } from '../../stack/index.ts';
import { HOME_PARTS } from './parts.ts';

/**
 * Makes a home that is `home` once more, without servers and without data: the same installation with the same principals.
 * It backs up into a store of its own, since two homes must not write one log archive, and its recovery identity stays
 * where it was. A copy that was cut short is completed. Throws USAGE where the folder holds anything else.
 */
export function copyHome(home: Home, path: string): Home {
  const target = homePaths(path);
  if (existsSync(path) && readdirSync(path).length > 0) requireSameInstall(home, path);
  makeSecretFolder(path);
  for (const name of HOME_PARTS) {
    if (!existsSync(home.paths[name])) continue;
    cpSync(home.paths[name], target[name], { recursive: true, preserveTimestamps: true });
    restrict(target[name]);
  }
  rmSync(stackLayout({ paths: target }).ports, { force: true });
  makeSecretFolder(target.backup);
  writeFileAtomic(target.recipients, readIfPresent(home.paths.recipients) ?? '');
  const configuration = ownConfiguration(readIfPresent(home.paths.configuration));
  if (configuration !== undefined) writeFileAtomic(target.configuration, configuration);
  // Last: from here on it is a home.
  const { install } = home;
  writeFileAtomic(target.marker, markerText({ install }));
  return openHome(path);
}

function requireSameInstall(home: Home, path: string): void {
  const isCopy = existsSync(homePaths(path).marker) && openHome(path).install === home.install;
  if (isCopy && path !== home.path) return;
  throw new WardlineError('USAGE', `${path} is not empty`, { hint: 'name a folder that is not there yet' });
}

/** Without what ties it to the servers and stores of the home that it is copied from. */
function ownConfiguration(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const document = parseDocument(text);
  for (const place of [['connection'], ['backup', 'store'], ['backup', 'escrow']])
    if (document.hasIn(place)) document.deleteIn(place);
  return document.toString();
}

/** Copying gives folders the mode of the process's umask. */
function restrict(path: string): void {
  if (!statSync(path).isDirectory()) return;
  chmodSync(path, SECRET_FOLDER_MODE);
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) restrict(join(path, entry.name));
}
