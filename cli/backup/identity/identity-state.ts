import { describeRecipients } from '../../../backup/recipients/recovery.ts';
import { asWardlineError } from '../../../core/errors/errors.ts';
import type { Home } from '../../../core/home.ts';
import type { CommandContext } from '../../context.ts';

/** States that the home got its first recovery identity, and says what to do with it. */
export async function recordFirstIdentity(context: CommandContext): Promise<void> {
  const home = context.home();
  const { recovery, identityFile = '' } = describeRecipients(home);
  await context.spool('operator').append({
    action: 'backup.identity',
    object: { type: 'home', id: home.install },
    outcome: 'success',
    details: { what: 'made', kind: 'recovery', recipient: recovery },
  });
  context.output.note(
    `a recovery identity was made: print the recovery sheet (wardline backup identity show), then take ${identityFile} away`,
  );
}

/** What `status` remarks on who can read the backups of this home. */
export function identityRemarks(home: Home): readonly string[] {
  try {
    const { identityFile, drill } = describeRecipients(home);
    return [
      ...(identityFile === undefined
        ? []
        : [`the recovery identity is still here, so this machine can read its own backups: take ${identityFile} away`]),
      ...(drill === undefined
        ? []
        : ['a drill identity stays here, as was asked for: whoever takes over this home can read its backups']),
    ];
  } catch (error) {
    return [asWardlineError(error).message];
  }
}
