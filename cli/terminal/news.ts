import type { Clock } from '../../core/clock.ts';

/** A text that was not told for this long, in milliseconds, is news again. */
const OLD_AFTER = 60_000;
const MOST_TEXTS = 100;

/**
 * Tells whether a text says anything new on a terminal: what is told again and again, alone or by turns with others, is
 * news once, until it was silent for a minute. Remembers a hundred texts at most.
 */
export function createNews(clock: Clock): (text: string) => boolean {
  const lastTold = new Map<string, number>();
  return (text) => {
    const now = clock.now();
    const before = lastTold.get(text);
    lastTold.delete(text);
    lastTold.set(text, now);
    const [oldest] = lastTold.keys();
    if (lastTold.size > MOST_TEXTS && oldest !== undefined) lastTold.delete(oldest);
    return before === undefined || now - before > OLD_AFTER;
  };
}
