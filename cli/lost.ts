import type { JsonValue } from '../core/record.ts';
import { WardlineError } from '../core/errors/errors.ts';
import type { Home } from '../core/home.ts';
import { clearLoss, readLoss, type Loss } from '../stack/index.ts';
import { SERVER_NAMES, SERVER_TITLES } from '../stack/layout.ts';
import type { CommandContext } from './context.ts';

/**
 * Throws REFUSED_BY_POLICY where servers were made anew without their data: what is produced, stored, given keys or backed up
 * then would stand in the way of what comes back.
 */
export function requireNothingLost(home: Home): void {
  const [remark] = lossRemarks(home);
  if (remark === undefined) return;
  throw new WardlineError('REFUSED_BY_POLICY', remark, {
    hint: 'bring it back with: wardline restore latest; or go on without it: wardline up --accept-loss',
  });
}

/** What `status` says of a loss. */
export function lossRemarks(home: Home): readonly string[] {
  const loss = readLoss(home);
  if (loss === undefined) return [];
  const titles = lostServers(loss).map((server) => SERVER_TITLES[server]);
  return [`the data of ${titles.join(' and ')} was lost, and nothing has been restored yet`];
}

/** A loss as events state it. */
export function lossDetails(loss: Loss | undefined): Readonly<Record<string, JsonValue>> | undefined {
  if (loss === undefined) return undefined;
  const time = (milliseconds: number | null): string | null =>
    milliseconds === null ? null : new Date(milliseconds).toISOString();
  return Object.fromEntries(
    SERVER_NAMES.flatMap((server) => {
      const lost = loss[server];
      return lost === undefined
        ? []
        : [[server, { found: time(lost.foundAt), last_sign_of_life: time(lost.lastSign) }] as const];
    }),
  );
}

/** Ends the waiting for a restore, on the record. Does nothing where nothing is lost. */
export async function giveUpLoss(context: CommandContext): Promise<void> {
  const home = context.home();
  const loss = readLoss(home);
  if (loss === undefined) return;
  await context.spool('operator').append({
    action: 'stack.accept-loss',
    object: { type: 'home', id: home.install },
    outcome: 'success',
    details: lossDetails(loss),
  });
  clearLoss(home);
  if (loss.kafka !== undefined)
    context.output.note('the audit log goes on once its loss is stated: wardline notary --new-epoch --reason "…"');
}

function lostServers(loss: Loss): readonly (typeof SERVER_NAMES)[number][] {
  return SERVER_NAMES.filter((server) => loss[server] !== undefined);
}
