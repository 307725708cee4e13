/** The parts of the bench, in the order in which they run: what fills the topic comes before what reads it. */
export const PART_NAMES = [
  'seal',
  'up',
  'source',
  'worker',
  'trail',
  'spark',
  'latency',
  'memory',
  'audit',
  'backup',
  'recovery',
] as const;

export type PartName = (typeof PART_NAMES)[number];
