import type { DrillCheck, DrillFindings } from './report.ts';

/** What a restore brought back, in the words of a report, with what it could not. */
export interface RestoredForDrill extends Pick<DrillFindings, 'tables' | 'topics' | 'keys' | 'audit'> {
  readonly files: number;
  /** Offsets that the log archive lacks behind the snapshot, by topic. */
  readonly gaps: readonly string[];
  /** Rows of the backup that the restored tables do not show. */
  readonly hidden: number;
}

/** What is asked of a restore. Files were compared with their hashes as they were fetched: one that differs ends it. */
export function restoreChecks(restored: RestoredForDrill): readonly DrillCheck[] {
  const { tables, topics, keys, audit, files, gaps, hidden } = restored;
  const short = tables.filter(({ backedUp, restored: end }) => end.rows < backedUp.rows);
  const rows = tables.reduce((sum, { restored: end }) => sum + end.rows, 0);
  const messages = topics.reduce((sum, one) => sum + one.messages, 0);
  return [
    { name: 'every file of the backup is what was stored', passed: true, found: `${files} files` },
    {
      name: 'every row of the backup is there',
      passed: short.length === 0 && hidden === 0,
      found:
        short.length === 0
          ? `${rows} rows in ${tables.length} tables; ${hidden} hidden`
          : `fewer rows in ${short.map(({ name }) => name).join(', ')}`,
    },
    {
      name: 'the log archive reaches on from the snapshot without a gap',
      passed: gaps.length === 0,
      found: gaps.length === 0 ? `${messages} messages in ${topics.length} topics` : `gaps in ${gaps.join(', ')}`,
    },
    ...(keys === null
      ? []
      : [
          {
            name: 'every escrowed key can be read',
            passed: keys.unreadable === 0,
            found: `${keys.restored} keys; ${keys.unreadable} unreadable; ${keys.erased} subjects erased`,
          },
        ]),
    {
      name: 'the audit log is whole, but for what is declared lost',
      passed: audit?.findings === 0,
      found:
        audit === null
          ? 'it was not verified'
          : `${audit.events} events, ${audit.findings} findings, ${audit.declaredLosses} declared losses`,
    },
  ];
}
