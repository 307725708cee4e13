import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { workerGroup } from '../../security/principals/names.ts';
import type { ArchivePoint } from '../archive/read/start.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { archiveEnds, type ArchiveParts } from './archive-state.ts';
import { incarnationsSince } from './incarnations.ts';

/** How far the workers of a contract had come when a backup began, in terms of the log archive. */
export interface Committed {
  /** Where what is not in the backup's tables begins on each partition. */
  readonly from: ReadonlyMap<number, ArchivePoint>;
  /**
   * What rows name as the incarnation of a partition. Ask for lives in their order: what neither the backup nor a worker's
   * event tells of is taken for the next one. A life that no worker ever stored from goes by its own name.
   */
  readonly incarnationOf: (partition: number, life: string) => string;
}

/** Reads it from the backup's offsets, the archive's seals of that time, and workers' events since. Throws BACKUP_DAMAGED. */
export async function committedWhenBackedUp(
  archive: ArchiveParts & { readonly identities: readonly string[] },
  manifest: Pick<Manifest, 'kafka' | 'startedAt'>,
  { id, topic: { name } }: Pick<CompiledContract, 'id' | 'topic'>,
): Promise<Committed> {
  const group = manifest.kafka.groups.find((candidate) => candidate.id === workerGroup(id));
  const committed = (group?.offsets ?? []).filter(({ topic }) => topic === name);
  // An offset means something only in its life: a topic that was made again begins at 0 once more.
  const ends = await archiveEnds(archive, name, Date.parse(manifest.startedAt));
  const lives = new Map(ends.map(({ partition, life }) => [partition, life]));
  const since = await incarnationsSince(archive, manifest, name);
  const incarnations = new Map(committed.map(({ partition, metadata }) => [partition, metadata]));
  const pointOf = (partition: number, offset: number): ArchivePoint => {
    const life = lives.get(partition);
    return life === undefined ? { offset } : { life, offset };
  };
  const asked = new Map([...lives].map(([partition, life]) => [partition, [life]]));
  return {
    from: new Map(committed.map(({ partition, offset }) => [partition, pointOf(partition, offset)])),
    incarnationOf(partition, life) {
      const before = asked.get(partition) ?? [];
      if (!before.includes(life)) asked.set(partition, [...before, life]);
      const place = before.includes(life) ? before.indexOf(life) : before.length;
      const first = incarnations.get(partition);
      const known = [...new Set([...(first == null ? [] : [first]), ...(since.get(partition) ?? [])])];
      return known[place] ?? life;
    },
  };
}
