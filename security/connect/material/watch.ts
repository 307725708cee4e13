import { versionOf } from './tls-context.ts';

/** Well under the 60 s within which everybody is to use a rotated certificate. */
const WATCH_INTERVAL = 5000;

export interface MaterialWatch {
  close(): void;
}

/**
 * Calls `onChange` after any of the files has changed and then stood still for one interval, so that a rotation that
 * writes several files is one change. Polls, since file events do not cross every kind of mount.
 * A long-running process makes its connections anew then. Does not keep the process alive.
 */
export function watchMaterial(
  paths: readonly string[],
  onChange: () => void,
  intervalMilliseconds: number = WATCH_INTERVAL,
): MaterialWatch {
  let told = versionOf(paths);
  let seen = told;
  const timer = setInterval(() => {
    const version = versionOf(paths);
    if (version === seen && version !== told) {
      told = version;
      onChange();
    }
    seen = version;
  }, intervalMilliseconds);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
