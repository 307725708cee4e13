/** With three, one can be lost while another is being mended. */
const COPIES = 3;
const COPIES_FOR_TWO_IN_SYNC = 3;

/** How many copies there are of what everything depends on, on so many nodes. */
export function copiesAmong(nodes: number): number {
  return Math.min(COPIES, nodes);
}

/** How many of so many copies have a write before Kafka acknowledges it. */
export function inSyncOf(copies: number): number {
  return copies >= COPIES_FOR_TWO_IN_SYNC ? 2 : 1;
}
