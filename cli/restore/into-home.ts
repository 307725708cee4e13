import { resolve } from 'node:path';
import { copyHome } from '../../backup/home/copy-home.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { noteLoss, readLoss, SERVER_NAMES, startStack, stackStatus } from '../../stack/index.ts';
import { createContext, type CommandContext } from '../context.ts';
import { startRecord } from '../start-record.ts';
import { restoreInPlace, type RestoreFlags, type RestoreReport } from './in-place.ts';

/**
 * Restores everything into a new home: the same installation with servers of its own on other ports, which are left
 * running. A call that was cut short is repeated. Throws USAGE where the folder is another home, or restored already.
 */
export async function restoreIntoHome(
  context: CommandContext,
  backup: string,
  flags: RestoreFlags,
  folder: string,
): Promise<RestoreReport> {
  const { table, subject, asKeyspace, lost, replace } = flags;
  if ([table, subject, asKeyspace, lost].some((flag) => flag !== undefined) || replace === true)
    throw new WardlineError('USAGE', '--into-home restores everything, into what is empty', {
      hint: 'leave out --table, --subject, --as-keyspace, --lost and --replace',
    });
  const { config: _config, ...options } = context.options;
  const path = resolve(folder);
  const home = copyHome(context.home(), path);
  const target = createContext({ ...options, home: path });
  if (stackStatus(home).supervisor.running && readLoss(home) === undefined)
    throw new WardlineError('USAGE', `${path} is restored already`, { hint: 'name a folder that is not there yet' });
  // An empty home of an installation that had data is one whose data was lost: that is how it comes back.
  noteLoss(home, SERVER_NAMES, systemClock.now());
  context.output.note(`starting servers in ${path}`);
  // Without daemons: a notary would refuse to sign, and an archiver would copy what is only being restored.
  await startStack(home, target.settings(), (line) => context.output.note(line), startRecord(target), []);
  return restoreInPlace(target, backup, { ...flags, replace: false }, context);
}
