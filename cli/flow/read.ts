import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { EXIT, WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { loadContract } from '../../governance/contract/index.ts';
import { readSubject, type ReadRow } from '../../pipeline/read/read-subject.ts';
import { accessOf } from '../../security/connect/access.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { openKeyring } from '../../security/keyring/keyring.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { PRINCIPALS } from '../../security/principals/table.ts';
import { SPAN_NAMES } from '../../telemetry/names.ts';
import { withSpan } from '../../telemetry/with-span.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { contractPathOf } from '../contract.ts';
import { openTelemetry } from '../telemetry.ts';
import { wholeNumber } from '../terminal/options.ts';
import { table } from '../terminal/output.ts';

const DEFAULT_ROWS = 20;
/** Columns of the printed table; `--json` has them all. */
const COLUMNS_SHOWN = 12;

/** Adds the command `read`. */
export function registerRead(program: Command): void {
  program
    .command('read')
    .description(
      'read the rows of a data subject; opens the classes that the contract opens to the principal, masks all others',
    )
    .argument('<subject>')
    .requiredOption('--contract <contract>', 'a file, or the id of a known contract')
    .requiredOption('--purpose <purpose>', 'why it is read: goes on the record')
    .option('--limit <n>', 'at most this many rows', wholeNumber, DEFAULT_ROWS)
    .option('--columns <names>', 'only these columns, separated by commas')
    .addHelpText(
      'after',
      '\nExample:\n  wardline read home-0001 --contract smart-home --purpose forecasting --as reader',
    )
    .action(
      async (
        subject: string,
        options: { contract: string; purpose: string; limit: number; columns?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        const rows: ReadRow[] = [];
        let faults = 0;
        await inTrace(context, async (traceId) => {
          for await (const row of readRows(context, subject, { ...options, traceId })) {
            faults += Object.keys(row.faults).length;
            if (context.output.json) context.output.item(documentOf(row), () => '');
            else rows.push(row);
          }
        });
        if (!context.output.json) context.output.item(null, () => tableOf(rows, options.columns?.split(',')));
        if (faults > 0) {
          context.output.note(`${faults} sealed values could not be opened; --json names them`);
          process.exitCode = EXIT.verification;
        }
      },
    );
}

/** Runs the reading as one trace, which its events name. */
async function inTrace(context: CommandContext, work: (traceId: string) => Promise<void>): Promise<void> {
  const telemetry = await openTelemetry(context, 'read', context.principal('reader'), (message) =>
    context.output.note(message),
  );
  try {
    await withSpan(telemetry.tracer, SPAN_NAMES.read, {}, (span) => work(span.spanContext().traceId));
  } finally {
    await telemetry.shutdown();
  }
}

/** Reads as the principal of `--as` (`reader` unless told otherwise). */
async function* readRows(
  context: CommandContext,
  subject: string,
  options: { readonly contract: string; readonly purpose: string; readonly limit: number; readonly traceId: string },
): AsyncGenerator<ReadRow> {
  const connection = context.connection();
  const principal = context.principal('reader');
  const contract = loadContract(contractPathOf(context, options.contract));
  const client = cassandraClient(connection, principal);
  const holdsKeys = PRINCIPALS[principal].holds.includes('dataKek');
  const keyring = holdsKeys
    ? openKeyring({
        client,
        keyStore: await openKeyStore(accessOf(connection, principal)),
        clock: systemClock,
        announce: makesNoKey,
        escrow: { keep: makesNoKey, takeBack: makesNoKey },
      })
    : undefined;
  const audit = context.audit(principal);
  try {
    yield* readSubject({
      client,
      contract,
      keyring,
      audit,
      principal,
      subject,
      purpose: options.purpose,
      limit: options.limit,
      traceId: options.traceId,
    });
  } finally {
    keyring?.close();
    await Promise.allSettled([audit.close(), client.shutdown()]);
  }
}

function makesNoKey(): Promise<void> {
  return Promise.reject(new WardlineError('REFUSED_BY_POLICY', 'reading makes no keys'));
}

function documentOf({ values, faults }: ReadRow): JsonValue {
  return Object.keys(faults).length === 0 ? values : { ...values, faults };
}

function tableOf(rows: readonly ReadRow[], wanted: readonly string[] | undefined): string {
  const [first] = rows;
  if (first === undefined) return 'No rows.';
  const all = Object.keys(first.values);
  const columns = wanted ?? all.slice(0, COLUMNS_SHOWN);
  const cell = (row: ReadRow, column: string): string => row.faults[column] ?? textOf(row.values[column] ?? '');
  const left = wanted === undefined ? all.length - columns.length : 0;
  return [
    table([columns, ...rows.map((row) => columns.map((column) => cell(row, column)))], 24),
    ...(left > 0 ? [`… and ${left} more columns: --columns a,b or --json`] : []),
  ].join('\n');
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
