import { WardlineError } from '../../core/errors/errors.ts';

/** Counts the dead letters of a run against the number that is allowed. */
export interface LetterCount {
  readonly add: (more: number) => void;
  readonly count: () => number;
  /** Rejects with TOO_MANY_DEAD_LETTERS once there are more than allowed; never resolves. */
  readonly tooMany: Promise<never>;
}

export function countLetters(allowed: number): LetterCount {
  const { promise: tooMany, reject } = Promise.withResolvers<never>();
  // Nobody may be waiting when it happens.
  tooMany.catch(() => undefined);
  let count = 0;
  return {
    tooMany,
    count: () => count,
    add(more) {
      count += more;
      if (count <= allowed) return;
      reject(
        new WardlineError('TOO_MANY_DEAD_LETTERS', `${count} dead letters are more than the ${allowed} allowed`, {
          hint: 'see them with: wardline dead-letters list',
        }),
      );
    },
  };
}
