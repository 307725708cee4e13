import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { workerGroup } from '../../security/principals/names.ts';
import type { ArchivePoint } from '../archive/read/start.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { archiveEnds, type ArchiveParts } from './archive-state.ts';

/** How far the workers of a contract had come when a backup began, in terms of the log archive. */
export interface Committed {
  /** Where what is not in the backup's tables begins on each partition. */
  readonly from: ReadonlyMap<number, ArchivePoint>;
  /** What rows name as the incarnation of a partition; a life that the backup does not know goes by its own name. */
  readonly incarnationOf: (partition: number, life: string) => string;
}

/** Reads it from the backup's offsets and the archive's seals of that time. Throws BACKUP_DAMAGED. */
export async function committedWhenBackedUp(
  archive: ArchiveParts,
  manifest: Pick<Manifest, 'kafka' | 'startedAt'>,
  { id, topic: { name } }: Pick<CompiledContract, 'id' | 'topic'>,
): Promise<Committed> {
  const group = manifest.kafka.groups.find((candidate) => candidate.id === workerGroup(id));
  const committed = (group?.offsets ?? []).filter(({ topic }) => topic === name);
  // An offset means something only in its life: a topic that was made again begins at 0 once more.
  const ends = await archiveEnds(archive, name, Date.parse(manifest.startedAt));
  const lives = new Map(ends.map(({ partition, life }) => [partition, life]));
  const incarnations = new Map(committed.map(({ partition, metadata }) => [partition, metadata]));
  const pointOf = (partition: number, offset: number): ArchivePoint => {
    const life = lives.get(partition);
    return life === undefined ? { offset } : { life, offset };
  };
  return {
    from: new Map(committed.map(({ partition, offset }) => [partition, pointOf(partition, offset)])),
    incarnationOf: (partition, life) => (life === lives.get(partition) ? incarnations.get(partition) : null) ?? life,
  };
}
