import { WardlineError } from '../../core/errors/errors.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import type { NoteVerifier } from '../checkpoint/signed-note.ts';
import { firstLeaf } from '../notary/open-log.ts';
import type { CheckpointReader } from '../notary/places.ts';
import { logEnd } from '../query/query.ts';
import type { TrustedKeys } from '../signature/signing-key.ts';
import { blockStart } from '../store/blocks.ts';
import { readEpochs, type Epoch } from '../store/epochs.ts';
import { topicBounds, type TopicReader } from '../topic/read-topic.ts';
import type { BlockReader } from './block-threads.ts';
import { declaredLoss, strayPartitions } from './epochs.ts';
import type { DeclaredLoss, Finding } from './finding.ts';
import { KnownCheckpoints } from './known-checkpoints.ts';
import { topicLeaves } from './topic-leaves.ts';
import { verifyEpoch, type VerifiedEpoch, type VerifiedPrefix } from './verify-epoch.ts';

export interface VerifyOptions {
  readonly install: string;
  readonly cassandra: CassandraWork;
  readonly topic: TopicReader;
  readonly places: readonly CheckpointReader[];
  readonly verifier: (origin: string) => NoteVerifier;
  /** The principals' public keys. */
  readonly keys: TrustedKeys;
  readonly blocks: BlockReader;
  /** Where an earlier verification of this epoch got to. */
  readonly from?: { readonly epoch: number; readonly prefix: VerifiedPrefix } | undefined;
  readonly onProgress?: (epoch: number, events: number, prefix: VerifiedPrefix | undefined) => void;
}

export interface VerifyReport {
  readonly epochs: readonly VerifiedEpoch[];
  readonly findings: readonly Finding[];
  readonly declaredLosses: readonly DeclaredLoss[];
}

/**
 * Verifies the whole audit log: every epoch, every copy, every checkpoint that can be found. What is wrong is in the
 * report, by sequence and kind; a loss that was declared is listed and is no fault.
 * Throws where a server cannot be reached or refuses: then nothing is said about the log.
 */
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const { install, cassandra, topic, keys, from } = options;
  const checkpoints = new KnownCheckpoints();
  await checkpoints.readPlaces(options);
  const listed = await readEpochs(cassandra, install);
  const newest = Math.max(0, ...listed.map(({ epoch }) => epoch), ...checkpoints.epochs());
  if (newest === 0)
    throw new WardlineError('NOT_FOUND', 'there is no audit log yet: no epoch and no checkpoint is found', {
      hint: 'see whether the notary runs: wardline status',
    });
  const first = from?.epoch ?? 1;
  const numbers = Array.from({ length: newest - first + 1 }, (_, at) => first + at);
  for (const epoch of numbers) await checkpoints.readKeyspace(options, epoch);
  const { losses, findings } = await lossesOf(options, listed, numbers.slice(1), keys);
  findings.push(...checkpoints.findings);
  const epochs: VerifiedEpoch[] = [];
  const ends = new Map<number, number>();
  for (const epoch of numbers) {
    const held = losses.find((loss) => loss.epoch === epoch)?.held;
    const entry = listed.find((known) => known.epoch === epoch);
    const prefix = from?.epoch === epoch ? from.prefix : undefined;
    const state = epoch === newest ? await topicOf(topic, entry) : undefined;
    if (state?.fault !== undefined)
      findings.push({ kind: 'undeclared loss', epoch, where: 'topic', detail: state.fault });
    const end = await logEnd(cassandra, epoch);
    const result = await verifyEpoch({
      epoch,
      cassandra,
      checkpoints,
      readBlock: (block) => options.blocks.read(epoch, block),
      topic:
        state?.end === undefined
          ? undefined
          : { blocks: topicLeaves(topic, { from: blockStart(prefix?.block ?? 0), to: state.end }), end: state.end },
      end,
      mayReach: async () => (epoch === newest ? ((await topicBounds(topic, AUDIT_TOPIC))?.high ?? 0) : (held ?? end)),
      declaredHeld: held,
      from: prefix,
      onProgress: (events, verified) => options.onProgress?.(epoch, events, verified),
    });
    ends.set(epoch, Math.max(end, result.size));
    epochs.push(result);
    findings.push(...result.findings);
  }
  if (from === undefined) findings.push(...(await strayPartitions(cassandra, ends)));
  return { epochs, findings, declaredLosses: losses };
}

async function lossesOf(
  { cassandra }: VerifyOptions,
  listed: readonly Epoch[],
  later: readonly number[],
  keys: TrustedKeys,
): Promise<{ readonly losses: DeclaredLoss[]; readonly findings: Finding[] }> {
  const losses: DeclaredLoss[] = [];
  const findings: Finding[] = [];
  for (const epoch of later) {
    const entry = listed.find((known) => known.epoch === epoch) ?? {
      epoch,
      firstLeaf: Buffer.alloc(0),
      declaredAt: undefined,
    };
    const found = await declaredLoss(cassandra, entry, keys);
    if ('kind' in found) findings.push(found);
    else losses.push(found);
  }
  return { losses, findings };
}

/** How far the topic of the newest epoch goes, or why it is not that topic. */
async function topicOf(
  topic: TopicReader,
  known: Epoch | undefined,
): Promise<{ readonly end?: number; readonly fault?: string }> {
  const bounds = await topicBounds(topic, AUDIT_TOPIC);
  if (bounds === undefined) return { fault: 'there is no audit topic any more' };
  if (bounds.low > 0) return { fault: `the audit topic begins at ${bounds.low}: what was before was deleted` };
  if (bounds.high === 0) return { fault: 'the audit topic is empty' };
  if (known !== undefined && !known.firstLeaf.equals(await firstLeaf({ topic })))
    return { fault: 'the audit topic begins with another event than the epoch: it was made anew' };
  return { end: bounds.high };
}
