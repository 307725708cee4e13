import type { Finding } from '../../audit/verify/finding.ts';
import type { RestoredTable } from '../../backup/restore/table/restore-table.ts';
import type { JsonValue } from '../../core/record.ts';
import { findingsText } from '../audit/verify-report.ts';
import { table } from '../terminal/output.ts';
import type { RestoreReport } from './in-place.ts';
import { serversDocument, serversText } from './lost-report.ts';

/** How long a restore took, in seconds. */
export interface RestoreTimes {
  readonly seconds: number;
  /** Until rows could be read again, all that were restored; null where nothing was. */
  readonly servingSeconds: number | null;
}

/** Takes the times of a restore that began at `started`, by `performance.now()`, and has just ended. */
export function timesOf({ servingAt }: RestoreReport, started: number): RestoreTimes {
  const secondsUntil = (moment: number): number => Math.round((moment - started) / 100) / 10;
  return {
    seconds: secondsUntil(performance.now()),
    servingSeconds: servingAt === undefined ? null : secondsUntil(servingAt),
  };
}

/** A restore as one JSON document. */
export function reportDocument(
  { manifest, dryRun, to, planned, tables, servers, safetyBackup, audit }: RestoreReport,
  { seconds, servingSeconds }: RestoreTimes,
): JsonValue {
  return {
    ...{ backup: manifest.id, snapshotAt: manifest.snapshotAt, dryRun, planned: [...planned] },
    ...{ seconds, servingSeconds },
    to: to === undefined ? null : new Date(to).toISOString(),
    safetyBackup: safetyBackup ?? null,
    tables: tables as unknown as JsonValue,
    servers: servers === undefined ? null : serversDocument(servers),
    auditFindings: audit === undefined ? null : (audit.findings as unknown as JsonValue),
  };
}

/** The same for people. */
export function reportText(report: RestoreReport, { seconds, servingSeconds }: RestoreTimes): string {
  const { manifest, dryRun, planned, tables, servers, to, safetyBackup, audit } = report;
  const until = to === undefined ? 'to the end of the log archive' : `to ${new Date(to).toISOString()}`;
  if (dryRun)
    return [
      `Would restore from backup ${manifest.id} of ${manifest.snapshotAt}, and replay ${until}:`,
      ...planned.map((name) => `  ${name}`),
    ].join('\n');
  const replayed = tables.some((one) => one.replayed !== undefined);
  return [
    `Restored from backup ${manifest.id} of ${manifest.snapshotAt}${replayed ? `, and replayed ${until}` : ''}, in ${seconds} s; its rows could be read after ${servingSeconds ?? seconds} s.`,
    table(
      [
        ['table', 'in the backup', 'replayed', 'now', 'digest of all rows'],
        ...tables.map(({ keyspace, table: name, backedUp, replayed: more, live }) => [
          ...[`${keyspace}.${name}`, String(backedUp.rows), String(more?.rows ?? ''), String(live.rows)],
          live.digest,
        ]),
      ],
      64,
    ),
    ...tables.flatMap(remarksOn),
    ...(servers === undefined ? [] : serversText(servers)),
    ...(safetyBackup === undefined ? [] : [`What stood before is in the safety backup ${safetyBackup}.`]),
    ...(audit === undefined ? [] : [auditText(audit.findings)]),
  ].join('\n');
}

function remarksOn({ keyspace, table: name, hidden, hiddenKeys, replayed }: RestoredTable): readonly string[] {
  const title = `${keyspace}.${name}`;
  return [
    ...(hidden === 0
      ? []
      : [
          `${title}: ${hidden} rows of the backup stay hidden, because they were deleted since; --replace brings them back:`,
          ...hiddenKeys.map((key) => `  ${key}`),
        ]),
    ...(replayed === undefined || replayed.refused === 0
      ? []
      : [`${title}: ${replayed.refused} messages are dead letters, as they were at first`]),
    ...(replayed?.gaps ?? []).map(
      ({ topic, partition, from, to }) =>
        `${title}: the log archive lacks the offsets ${from} to ${to - 1} of partition ${partition} of ${topic}`,
    ),
  ];
}

function auditText(findings: readonly Finding[]): string {
  return findings.length === 0
    ? 'The audit log is whole.'
    : `The audit log is not whole: ${findings.length} findings.\n\n${findingsText(findings)}`;
}
