import type { EventStatement } from '../../audit/event/event.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { stackStatus } from '../../stack/index.ts';
import type { PrincipalName } from '../../security/principals/names.ts';
import type { CommandContext } from '../context.ts';

/** What has to be possible when everything else is lost goes on the record all the same: on Kafka, else into the spool. */
export async function onRecordWhateverRuns(
  context: CommandContext,
  statement: EventStatement,
  principal: PrincipalName = 'operator',
): Promise<void> {
  const embedded = context.settings().connection?.mode !== 'external';
  if (!embedded || stackStatus(context.home()).supervisor.running) {
    const audit = context.audit(principal);
    try {
      await audit.append(statement);
      return;
    } catch (error) {
      const { code, message } = asWardlineError(error);
      if (!['AUDIT_UNAVAILABLE', 'KAFKA_UNREACHABLE'].includes(code)) throw error;
      context.output.note(`the event goes into the home's spool: ${message}`);
    } finally {
      await audit.close();
    }
  }
  await context.spool(principal).append(statement);
}
