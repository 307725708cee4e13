/** What can be wrong with a log. */
export type FindingKind =
  /** An event, or what a summary says of it, is not what was signed for. */
  | 'changed'
  /** An event under a checkpoint is not there. */
  | 'missing'
  /** A row stands where no event came to stand. */
  | 'added'
  /** An event stands at the place of another. */
  | 'reordered'
  /** An event or a checkpoint is not signed by whom it names. */
  | 'signature'
  /** A checkpoint that was signed does not belong to this log, or two contradict each other. */
  | 'fork'
  /** The topic is another one, and nobody declared what was lost. */
  | 'undeclared loss';

/** The copies of the log that are compared. */
export type CopyName = 'audit keyspace' | 'topic' | 'tree tiles';

/** One thing that is wrong, and where. */
export interface Finding {
  readonly kind: FindingKind;
  readonly epoch: number;
  /** Where: a copy of the log, or a place of checkpoints. */
  readonly where: string;
  /** The sequences concerned: first and last; absent where it is not about events. */
  readonly from?: number;
  readonly to?: number;
  readonly detail: string;
}

/** A loss that an epoch's declaration states. */
export interface DeclaredLoss {
  /** The epoch that ended. */
  readonly epoch: number;
  /** Its events that are held; those from this sequence on are lost. */
  readonly held: number;
  readonly declaredIn: number;
  readonly declaredAt: number;
  readonly time: string;
  readonly reason: string;
}
