import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { workerGroup } from '../../security/principals/names.ts';
import type { CommandContext } from '../context.ts';

/**
 * Refuses to go on while a worker of the contract runs: it would store into a table that is being emptied, or rows that
 * the restore is to leave out. Throws BACKUP_BUSY.
 */
export async function requireNoWorker(context: CommandContext, { id }: CompiledContract): Promise<void> {
  const admin = kafkaClient(context.connection(), 'operator').admin();
  try {
    await admin.connect();
    const { groups } = await admin.describeGroups([workerGroup(id)]);
    const members = groups[0]?.members.length ?? 0;
    if (members === 0) return;
    throw new WardlineError('BACKUP_BUSY', `${members} workers of ${id} run, and would go on storing into its table`, {
      hint: 'stop them, and start them again when the restore has ended',
    });
  } catch (error) {
    throw error instanceof WardlineError ? error : asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
