import type { LossWindow } from '../../backup/restore/loss-window.ts';
import type { JsonValue } from '../../core/record.ts';
import type { RestoredServers } from './lost.ts';

/** What came back of lost servers, as a part of a JSON document. */
export function serversDocument({ window, keys, topics, audit }: RestoredServers): JsonValue {
  return {
    lost: {
      archivedUntil: timeOf(window.archivedUntil),
      lastSignOfLife: timeOf(window.lastSign),
      seconds: window.seconds ?? null,
    },
    keys: (keys ?? null) as unknown as JsonValue,
    topics: topics as unknown as JsonValue,
    audit: { recovered: audit.epochs, opened: audit.opened ?? null } as unknown as JsonValue,
  };
}

/** The same for people, a line each. */
export function serversText({ window, keys, topics, audit }: RestoredServers): readonly string[] {
  return [
    windowText(window),
    ...(keys === undefined ? [] : [`Keys out of the escrow: ${keys.restored}; ${keys.erased} subjects stay erased.`]),
    ...(keys === undefined || keys.failed.length === 0
      ? []
      : [`${keys.failed.length} keys could not be restored: ${keys.failed.map(({ object }) => object).join(', ')}`]),
    ...topics.map(({ topic, messages }) => `${topic}: filled again with ${messages} messages`),
    ...audit.epochs
      .filter(({ from, to }) => to > from)
      .map(({ epoch, from, to }) => `Audit events ${epoch}/${from} to ${epoch}/${to - 1} came out of the log archive.`),
    ...(audit.opened === undefined
      ? []
      : [
          `Epoch ${audit.opened.epoch} of the audit log is open: event ${audit.opened.declaredAt} states that of the one before ${audit.opened.held} events are held.`,
        ]),
  ];
}

function windowText({ archivedUntil, lastSign, seconds }: LossWindow): string {
  if (archivedUntil === undefined) return 'The log archive holds nothing: what came after the backup is lost.';
  const until = `The log archive ends with what was appended at ${timeOf(archivedUntil) ?? ''}`;
  if (seconds === undefined) return `${until}; when the servers were lost is not known.`;
  return `${until}, and the servers' last sign of life is of ${timeOf(lastSign) ?? ''}: at most ${seconds.toFixed(1)} s are lost.`;
}

function timeOf(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
