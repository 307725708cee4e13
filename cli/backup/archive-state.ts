import { readArchiveLag } from '../../backup/archive/lag/lag-file.ts';
import type { Home } from '../../core/home.ts';

/** How far the log archive is behind, for `status --json`: null where no archiver of this home ever worked. */
export function archiveLagOf(home: Home): { readonly lag_seconds: number; readonly as_of: string } | null {
  const lag = readArchiveLag(home);
  return lag === undefined ? null : { lag_seconds: lag.seconds, as_of: new Date(lag.at).toISOString() };
}

/** The same for people. */
export function archiveRemarks(home: Home): readonly string[] {
  const lag = archiveLagOf(home);
  return lag === null ? [] : [`the log archive was ${lag.lag_seconds} s behind at ${lag.as_of}`];
}
