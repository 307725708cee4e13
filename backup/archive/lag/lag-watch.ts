/** How long ago what is not archived yet came, at most, for all partitions together. */
export interface LagWatch {
  /** Notes what a partition holds now, and up to where it is archived. */
  observe(place: string, high: number, archived: number, now: number): void;
  /** Forgets a partition that is no more. */
  forget(isGone: (place: string) => boolean): void;
  /** Milliseconds since the oldest message that is not archived was first seen; 0 where all is. */
  lag(now: number): number;
}

interface Mark {
  readonly high: number;
  /** When the partition was first seen to hold that much. */
  readonly at: number;
}

/** Marks kept of a partition: where more would be needed, the lag is long and need not be exact to the second. */
const MOST_MARKS = 120;

/** A watch that remembers when it saw the partitions grow: a message that was not fetched yet has no time that is known. */
export function createLagWatch(): LagWatch {
  const marks = new Map<string, Mark[]>();
  return {
    observe(place, high, archived, now) {
      const known = (marks.get(place) ?? []).filter((mark) => mark.high > archived);
      const grown = high > Math.max(archived, known.at(-1)?.high ?? 0);
      // What comes once the list is full counts as old as the last one in it: rather too long than too short.
      if (grown && known.length >= MOST_MARKS) known.push({ high, at: known.pop()?.at ?? now });
      else if (grown) known.push({ high, at: now });
      marks.set(place, known);
    },
    forget(isGone) {
      for (const place of marks.keys()) if (isGone(place)) marks.delete(place);
    },
    lag(now) {
      const firsts = [...marks.values()].flatMap(([first]) => (first === undefined ? [] : [first.at]));
      return Math.max(0, now - Math.min(now, ...firsts));
    },
  };
}
