/** The named steps of a record's way. */
export const STAGES = ['source', 'check', 'seal', 'produce', 'consume', 'transform', 'store', 'dead-letter'] as const;
export type StageName = (typeof STAGES)[number];

/** What a stage reports of one call, beside its output: numbers and key ids, never a value. */
export interface StageFacts {
  readonly counts: Readonly<Record<string, number>>;
  readonly keyIds?: readonly string[];
  /** How long the stage itself took, where it ran somewhere else than in the call (a seal thread, say). */
  readonly milliseconds?: number;
}
