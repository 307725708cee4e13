import { join } from 'node:path';
import { signingKey } from '../../../audit/signature/signing-key.ts';
import { drillPage } from '../../../backup/drill/page.ts';
import { signReport, type DrillReport } from '../../../backup/drill/report.ts';
import { writeDrillState } from '../../../backup/drill/state.ts';
import { storeNames } from '../../../backup/naming.ts';
import type { ObjectStore } from '../../../backup/objects/object-store.ts';
import { makeSecretFolder, writeFileAtomic } from '../../../core/files.ts';
import { accessOf, readCredential } from '../../../security/connect/access.ts';
import { createInstruments } from '../../../telemetry/instruments.ts';
import { ATTRIBUTES } from '../../../telemetry/names.ts';
import type { CommandContext } from '../../context.ts';
import { openTelemetry } from '../../telemetry.ts';
import { onRecordWhateverRuns } from '../on-record.ts';

const ARCHIVER = 'archiver';

/**
 * Keeps what a drill found: on the audit log, signed in the store and in the home, as metrics, and for `status`. Returns
 * where the page is.
 */
export async function keepDrillReport(
  context: CommandContext,
  store: Pick<ObjectStore, 'put'>,
  report: DrillReport,
): Promise<string> {
  const home = context.home();
  const { id, backup, endedAt, passed, rpoSeconds, rtoSeconds } = report;
  const key = signingKey(ARCHIVER, readCredential(accessOf(context.connection(), ARCHIVER).signingKey));
  const forms = { html: drillPage(report), jws: signReport(report, key) } as const;
  const folder = join(home.paths.backup, 'drills');
  makeSecretFolder(folder);
  for (const form of ['html', 'jws'] as const) writeFileAtomic(join(folder, `${id}.${form}`), forms[form]);
  writeDrillState(home, { id, backup, endedAt, passed, rpoSeconds, rtoSeconds });
  const rows = report.tables.reduce((sum, { restored }) => sum + restored.rows, 0);
  await onRecordWhateverRuns(
    context,
    {
      action: 'backup.drill',
      object: { type: 'backup', id: backup },
      outcome: passed ? 'success' : 'failure',
      counts: {
        ...{ tables: report.tables.length, rows, failed_checks: report.checks.filter((one) => !one.passed).length },
        ...(rpoSeconds === null ? {} : { rpo_milliseconds: Math.round(rpoSeconds * 1000) }),
        ...(rtoSeconds === null ? {} : { rto_milliseconds: Math.round(rtoSeconds * 1000) }),
      },
      details: { drill: id, what: 'ended' },
    },
    ARCHIVER,
  );
  await recordMetrics(context, report);
  for (const form of ['html', 'jws'] as const)
    await store.put(storeNames(home.install).drillReport(id, form), Buffer.from(forms[form]));
  return join(folder, `${id}.html`);
}

async function recordMetrics(context: CommandContext, { passed, rpoSeconds, rtoSeconds }: DrillReport): Promise<void> {
  const telemetry = await openTelemetry(context, 'drill', 'archiver', (message) =>
    context.output.note(`telemetry: ${message}`),
  );
  const instruments = createInstruments(telemetry.meter);
  instruments.drills.add(1, passed ? {} : { [ATTRIBUTES.errorType]: 'drill failed' });
  if (rpoSeconds !== null) instruments.drillRpo.record(rpoSeconds, {});
  if (rtoSeconds !== null) instruments.drillRto.record(rtoSeconds, {});
  await telemetry.shutdown();
}
