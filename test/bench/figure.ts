/** What a figure must reach: a bound that is met from one side. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** One line of the bench's table: a measured value against its target. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: Target;
}

/** A measured value that has no target of its own: what a figure was made from. */
export interface Absolute {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** What one part of the bench came to. A part that could not be measured says why; it never counts as met. */
export type PartResult =
  | {
      readonly measured: true;
      readonly how: string;
      readonly figures: readonly Figure[];
      readonly absolutes: readonly Absolute[];
    }
  | { readonly measured: false; readonly reason: string };

export function isMet({ value, target }: Figure): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

/** The middle value; of an even number of values the mean of the two in the middle. NaN where there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}

/** The smallest value that at least `percent` of all values do not exceed (nearest rank). NaN where there is none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}
