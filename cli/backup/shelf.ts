import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { openBackupStore } from '../../backup/objects/open-store.ts';
import { systemClock } from '../../core/clock.ts';
import { trustedKeysOf } from '../audit/sources.ts';
import type { CommandContext } from '../context.ts';
import { createNews } from '../terminal/news.ts';

export interface ShelfOptions {
  /** Of bytes a second, written and read. Without it there is no limit. */
  readonly rateLimit?: number | undefined;
}

/**
 * Opens the home's backup store with whom its manifests are believed from, and lets go of it when the work is done. Where
 * the store is out of reach or full, the work waits and says why.
 */
export async function withShelf<T>(
  context: CommandContext,
  work: (shelf: ManifestShelf) => Promise<T>,
  { rateLimit }: ShelfOptions = {},
): Promise<T> {
  const home = context.home();
  const isNews = createNews(systemClock);
  const store = openBackupStore(home, context.settings(), {
    bytesPerSecond: rateLimit,
    onWaiting: ({ message }) => {
      if (isNews(message)) context.output.note(`waiting for the store: ${message}`);
    },
  });
  try {
    return await work({ store, install: home.install, trusted: trustedKeysOf(context.connection()) });
  } finally {
    await store.close();
  }
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes for people: in the largest decimal unit of which there is at least one. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const amount = bytes / 1000 ** power;
  return `${power === 0 ? amount : amount.toFixed(amount < 10 ? 2 : 1)} ${UNITS[power] ?? ''}`;
}
