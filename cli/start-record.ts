import type { AuditAction } from '../audit/event/actions.ts';
import type { Loss, StartRecord } from '../stack/index.ts';
import type { PrincipalName } from '../security/principals/names.ts';
import type { CommandContext } from './context.ts';
import { lossDetails } from './lost.ts';

/** States on the home's spool what is done with the home as a whole. */
export async function recordOnSpool(
  context: CommandContext,
  principal: PrincipalName,
  action: AuditAction,
  loss?: Loss,
): Promise<void> {
  const object = { type: 'home', id: context.home().install };
  await context.spool(principal).append({ action, object, outcome: 'success', details: lossDetails(loss) });
}

/** What a start of the servers puts on the record by itself. Signing keys are made by it: no spool can be opened before. */
export function startRecord(context: CommandContext): StartRecord {
  return {
    lost: (loss) => recordOnSpool(context, 'operator', 'stack.loss', loss),
    beginning: () => recordOnSpool(context, 'break-glass', 'break-glass.use'),
    done: () => recordOnSpool(context, 'break-glass', 'principals.provision'),
  };
}
