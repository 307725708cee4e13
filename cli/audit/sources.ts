import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { noteVerifier, type NoteVerifier } from '../../audit/checkpoint/signed-note.ts';
import { checkpointsFolder, checkpointsTopicReader, type CheckpointReader } from '../../audit/notary/places.ts';
import { checkpointsInStore } from '../../backup/archive/checkpoints-in-store.ts';
import { openBackupStore } from '../../backup/objects/open-store.ts';
import { trustedKeys, type TrustedKeys } from '../../audit/signature/signing-key.ts';
import { readEpochs } from '../../audit/store/epochs.ts';
import type { TopicReader } from '../../audit/topic/read-topic.ts';
import type { AuditAction } from '../../audit/event/actions.ts';
import { systemClock } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { accessOf } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { renewingCassandra, type RenewingCassandra } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { checkpointPublicKey } from '../../security/keyring/checkpoint-key.ts';
import type { PrincipalName } from '../../security/principals/names.ts';
import type { CommandContext } from '../context.ts';

/** How long a store that does not answer may keep the other places waiting. */
const STORE_PATIENCE = 3;

/** What works with the audit log is given, whoever acts. */
export interface AuditSources {
  readonly install: string;
  readonly connection: Connection;
  readonly principal: PrincipalName;
  readonly cassandra: RenewingCassandra;
  readonly topic: TopicReader;
  readonly places: readonly CheckpointReader[];
  readonly verifier: (origin: string) => NoteVerifier;
  close(): Promise<void>;
}

/** Opens the audit log's sources as a principal. */
export function auditSources(
  context: CommandContext,
  principal: PrincipalName,
  patience: 'command' | 'service' = 'command',
): AuditSources {
  const [home, connection] = [context.home(), context.connection()];
  const store = openBackupStore(home, context.settings(), { patienceSeconds: STORE_PATIENCE });
  const topic = { kafka: kafkaClient(connection, principal, { patience }), principal };
  const cassandra = renewingCassandra(connection, principal);
  const publicKey = checkpointPublicKey(accessOf(connection, 'notary'));
  return {
    install: home.install,
    connection,
    principal,
    cassandra,
    topic,
    places: [
      checkpointsTopicReader(topic),
      checkpointsFolder(home.paths.checkpoints, systemClock),
      checkpointsInStore(store, home.install, (reason) =>
        context.output.note(`no checkpoint was read from the backup store: ${reason}`),
      ),
    ],
    verifier: (origin) => noteVerifier(origin, publicKey),
    async close() {
      await Promise.all([cassandra.shutdown(), store.close()]);
    },
  };
}

/** The principals' public keys, from beside their private ones. */
export function publicKeysOf(
  connection: Pick<Connection, 'principals'>,
): readonly { principal: string; publicKeyPem: string }[] {
  return Object.entries(connection.principals).flatMap(([principal, { signingKey }]) => {
    const path = join(dirname(signingKey), 'signing.pub');
    return existsSync(path) ? [{ principal, publicKeyPem: readFileSync(path, 'utf8') }] : [];
  });
}

export function trustedKeysOf(connection: Connection): TrustedKeys {
  return trustedKeys(publicKeysOf(connection));
}

/** Where an event stands. */
export interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

/** Reads `SEQ` (of the newest epoch) or `EPOCH/SEQ`. Throws USAGE. */
export async function placeNamed(text: string, sources: AuditSources): Promise<Place> {
  const [, epoch, sequence] = /^(?:([1-9]\d{0,8})\/)?(0|[1-9]\d{0,14})$/.exec(text) ?? [];
  if (sequence === undefined)
    throw new WardlineError('USAGE', `${text} is no place in the audit log`, {
      hint: 'give a sequence, or an epoch and a sequence: 4711 or 2/4711',
    });
  return { epoch: epoch === undefined ? await newestEpoch(sources) : Number(epoch), sequence: Number(sequence) };
}

/** The number of the newest epoch. Throws NOT_FOUND where no notary ever worked. */
export async function newestEpoch({ cassandra, install }: AuditSources): Promise<number> {
  const epochs = await readEpochs(cassandra, install);
  const newest = epochs.at(-1)?.epoch;
  if (newest !== undefined) return newest;
  throw new WardlineError('NOT_FOUND', 'the audit log is empty: no notary has stored an event yet', {
    hint: 'see whether the notary runs: wardline status',
  });
}

/** States what is about to be done with the log, as whoever does it, and waits until that is acknowledged. */
export async function onAuditRecord(
  context: CommandContext,
  principal: PrincipalName,
  action: Extract<AuditAction, `audit.${string}`>,
  object: { readonly type: string; readonly id: string },
  details?: Readonly<Record<string, JsonValue>>,
): Promise<void> {
  const audit = context.audit(principal);
  try {
    await audit.append({ action, object, outcome: 'success', details });
  } finally {
    await audit.close();
  }
}

/** Opens the log's sources as whoever acts, the auditor unless told otherwise, and lets go of them when the work is done. */
export async function withAuditSources<T>(
  context: CommandContext,
  work: (sources: AuditSources) => Promise<T>,
): Promise<T> {
  const sources = auditSources(context, context.principal('auditor'));
  try {
    return await work(sources);
  } finally {
    await sources.close();
  }
}

/** How an event's place is written. */
export function placeText({ epoch, sequence }: Place): string {
  return `${epoch}/${sequence}`;
}
