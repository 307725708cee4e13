import { setTimeout as sleep } from 'node:timers/promises';
import type { Compose } from './docker.ts';

const PATIENCE = 120_000;

/** How many rows workers say they stored, since ever. */
export async function storedRows(compose: Compose): Promise<number> {
  const events = await compose.json('audit', 'query', '--action', 'stage.store', '--limit', '100000');
  return events.reduce((sum, each) => {
    const { counts } = each['event'] as { counts?: { rows?: number; records?: number } };
    return sum + (counts?.rows ?? counts?.records ?? 0);
  }, 0);
}

/** How many they are, once they are more than so many. */
export async function moreThan(compose: Compose, rows: number): Promise<number> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const now = await storedRows(compose);
    if (now > rows) return now;
    if (Date.now() > deadline) throw new Error(`still ${now} rows`);
    await sleep(1000);
  }
}
