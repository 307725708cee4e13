import type { Command } from 'commander';
import {
  makeDrillIdentity,
  makeRecovery,
  readIdentities,
  readRecipients,
} from '../../../backup/recipients/recovery.ts';
import { encryptEscrowAnew } from '../../../backup/escrow/encrypt-anew.ts';
import { openEscrowStore } from '../../../backup/objects/open-store.ts';
import { systemClock } from '../../../core/clock.ts';
import { contextOf, type CommandContext } from '../../context.ts';
import { onRecordWhateverRuns } from '../on-record.ts';
import { recoverySheet, sheetDocument, sheetText } from './recovery-sheet.ts';

/** Adds the commands on who can read backups and escrowed keys. */
export function registerIdentity(backup: Command): void {
  const identity = backup.command('identity').description('who can read what is backed up and escrowed');

  identity
    .command('new')
    .description('make a new recovery identity; the one before still opens what was made until now')
    .option(
      '--drill',
      'make a drill identity: a second one, which stays in the home so that drills can open what they restore',
    )
    .addHelpText('after', '\nExamples:\n  wardline backup identity new\n  wardline backup identity new --drill')
    .action(async ({ drill }: { drill?: boolean }, command: Command) => {
      const context = contextOf(command);
      const home = context.home();
      const kind = drill === true ? 'drill' : 'recovery';
      const made = await (drill === true ? makeDrillIdentity : makeRecovery)(home, systemClock);
      await onRecordWhateverRuns(context, {
        action: 'backup.identity',
        object: { type: 'home', id: home.install },
        outcome: 'success',
        details: { what: 'made', kind, recipient: made.recipient },
      });
      const escrow = await encryptEscrowAgain(context);
      context.output.result({ kind, recipient: made.recipient, file: made.file, escrow }, () =>
        [
          `Backups and escrowed keys are encrypted to ${made.recipient} from now on.`,
          escrow.left === 0
            ? `So is what was in escrow before: ${escrow.encrypted} objects.`
            : `${escrow.left} objects in escrow stay as they were: the identity that opens them is not here. Keep it.`,
          ADVICE[kind](made.file),
        ].join('\n'),
      );
    });

  identity
    .command('show')
    .description(
      'print the recovery sheet: identity, passphrases of the key stores, keys that verify, places of the stores. It is secret',
    )
    .addHelpText('after', '\nExample:\n  wardline backup identity show | lp')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      const sheet = recoverySheet(context);
      await onRecordWhateverRuns(context, {
        action: 'backup.identity',
        object: { type: 'home', id: sheet.install },
        outcome: 'success',
        details: { what: 'sheet printed', with_identity: sheet.identities.length > 0 },
      });
      context.output.result(sheetDocument(sheet), () => sheetText(sheet));
    });
}

/** What is in escrow, encrypted to those who are the recipients now, as far as the identities in the home open it. */
async function encryptEscrowAgain(context: CommandContext): Promise<{ encrypted: number; left: number }> {
  const home = context.home();
  const store = openEscrowStore(home, context.settings(), {
    onWaiting: ({ message }) => context.output.note(`waiting: ${message}`),
  });
  try {
    const parties = { identities: readIdentities(home), recipients: readRecipients(home) };
    return await encryptEscrowAnew({ store, install: home.install, ...parties });
  } finally {
    await store.close();
  }
}

const ADVICE = {
  recovery: (file: string) =>
    [
      `Its private half is in ${file}.`,
      'Print the recovery sheet (wardline backup identity show), then take that file away: while it is here, this machine',
      'can read what it backs up. Whoever restores names it with --identity FILE.',
    ].join('\n'),
  drill: (file: string) =>
    [
      `Its private half stays in ${file}, for drills.`,
      'It costs the separation: whoever takes over this home can read every backup made from now on.',
      'Without it drills need --identity FILE.',
    ].join('\n'),
} as const;
