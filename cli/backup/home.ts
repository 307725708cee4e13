import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { openSealedHome, sealHome } from '../../backup/home/home-file.ts';
import { identitiesIn } from '../../backup/recipients/recovery.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { writeFileAtomic } from '../../core/files.ts';
import { resolveHome } from '../../core/home.ts';
import { loadSettings } from '../../core/configuration.ts';
import { noteLoss, SERVER_NAMES } from '../../stack/index.ts';
import { contextOf, createContext } from '../context.ts';
import { onRecordWhateverRuns } from './on-record.ts';

interface OpenOptions {
  readonly identity: string;
  readonly sha256?: string;
}

/** Adds the commands that keep a home, without its servers' data, against the loss of the whole machine. */
export function registerHome(backup: Command): void {
  const home = backup.command('home').description('the home itself, against the loss of the machine');

  home
    .command('save')
    .description(
      'write the home, without what its servers hold, to one file that only the recovery identity opens. Keep it with the recovery sheet',
    )
    .argument('<file>', 'where to write it')
    .addHelpText('after', '\nExample:\n  wardline backup home save /media/safe/home.age')
    .action(async (file: string, _options, command: Command) => {
      const context = contextOf(command);
      const { bytes, files } = await sealHome(context.home());
      const sha256 = hash('sha256', bytes, 'hex');
      await onRecordWhateverRuns(context, {
        action: 'backup.home',
        object: { type: 'home', id: context.home().install },
        outcome: 'success',
        details: { what: 'saved', files, sha256 },
      });
      writeFileAtomic(resolve(file), bytes);
      context.output.result({ file: resolve(file), files, bytes: bytes.length, sha256 }, () =>
        [
          `The home is in ${file}: ${files} files, for the recovery identity alone. SHA-256 ${sha256}`,
          'Write that digest on the recovery sheet. Save the home again after certs rotate, a new principal or another contract.',
        ].join('\n'),
      );
    });

  home
    .command('open')
    .description('make a home of such a file, whose servers are then empty and wait for a restore')
    .argument('<file>', 'what backup home save wrote')
    .requiredOption('--identity <file>', 'the recovery identity')
    .option('--sha256 <digest>', 'the digest that the file must have, as the recovery sheet has it')
    .addHelpText('after', '\nExample:\n  wardline backup home open home.age --identity recovery.txt --home .wardline')
    .action(async (file: string, { identity, sha256: expected }: OpenOptions, command: Command) => {
      const { options, output } = contextOf(command);
      const bytes = readFile(file);
      const sha256 = hash('sha256', bytes, 'hex');
      if (expected !== undefined && expected.toLowerCase() !== sha256)
        throw new WardlineError('OBJECT_DAMAGED', `${file} has the SHA-256 ${sha256}, and not the one that was given`, {
          hint: 'somebody may have put another file in its place: bring the one that was saved',
        });
      const made = await openSealedHome(
        bytes,
        identitiesIn(identity),
        resolveHome(options.home, process.env, process.cwd()),
      );
      const embedded = loadSettings(made).connection?.mode !== 'external';
      if (embedded) noteLoss(made, SERVER_NAMES, systemClock.now());
      const context = createContext({ ...options, home: made.path });
      await context.spool('operator').append({
        action: 'backup.home',
        object: { type: 'home', id: made.install },
        outcome: 'success',
        details: { what: 'opened', sha256 },
      });
      output.result({ home: made.path, install: made.install, sha256 }, () =>
        [
          `The home of installation ${made.install} is in ${made.path}; the file has the SHA-256 ${sha256}.`,
          embedded
            ? 'Next: bring its stores of backups and keys back to where wardline.yaml has them, then: wardline up, and wardline restore latest --identity FILE'
            : 'Next: wardline restore latest --lost SERVERS, where its servers were lost as well',
        ].join('\n'),
      );
    });
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new WardlineError('USAGE', `${file} cannot be read`, { cause });
  }
}
