import type { Command } from 'commander';
import { SENSITIVE_CLASSES, type SensitiveClass } from '../../core/classification.ts';
import { systemClock } from '../../core/clock.ts';
import { asWardlineError, EXIT, WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { loadContract } from '../../governance/contract/index.ts';
import { accessOf } from '../../security/connect/access.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { cassandraDekTable } from '../../security/keyring/dek-table.ts';
import { dekTableName } from '../../security/keyring/dek-schema.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { KEYS_KEYSPACE } from '../../security/principals/names.ts';
import { forgetOverwritten } from '../../stack/index.ts';
import {
  checkEscrow,
  eraseFromEscrow,
  escrowDocument,
  escrowLines,
  withEscrow,
} from '../backup/identity/key-escrow.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { contractPathOf } from '../contract.ts';
import { table } from '../terminal/output.ts';

/** Commands on data keys. */
export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('data keys: one a contract, data subject, class and generation');
  const contractOption = ['--contract <contract>', 'a file, or the id of a known contract'] as const;

  keys
    .command('list')
    .description('list data keys: never a key itself')
    .requiredOption(...contractOption)
    .addHelpText('after', '\nExample:\n  wardline keys list --contract smart-home')
    .action(async ({ contract: name }: { contract: string }, command: Command) => {
      const context = contextOf(command);
      const contract = loadContract(contractPathOf(context, name));
      await withTables(context, contract.id, async (tables) => {
        await onRecord(context, 'keys.list', contract.id, {});
        if (!context.output.json)
          context.output.item(null, () => ['subject', 'class', 'generation', 'state', 'made', 'kid'].join('\t'));
        for (const { classification, rows } of tables) {
          for await (const { subject, generation, state, createdAt, kid } of rows.list()) {
            const made = new Date(createdAt).toISOString();
            context.output.item({ subject, class: classification, generation, state, created_at: made, kid }, () =>
              [subject, classification, generation, state, made, kid].join('\t'),
            );
          }
        }
      });
    });

  keys
    .command('destroy')
    .description("destroy a data subject's keys: what was sealed under them can never be opened again")
    .argument('<subject>')
    .requiredOption(...contractOption)
    .addHelpText('after', '\nExample:\n  wardline keys destroy home-0001 --contract smart-home --yes')
    .action(async (subject: string, { contract: name }: { contract: string }, command: Command) => {
      const context = contextOf(command);
      const contract = loadContract(contractPathOf(context, name));
      await context.confirm(`This makes all sealed values of ${subject} in ${contract.id} unreadable for ever.`);
      await withTables(context, contract.id, async (tables) => {
        // The intent is on record before the first key goes: a crash in between must not leave an unexplained gap.
        await onRecord(context, 'keys.destroy', contract.id, { subject, phase: 'begun' });
        const destroyed: string[] = [];
        for (const { rows } of tables) destroyed.push(...(await rows.destroy(subject, systemClock.now())));
        const copies = await withEscrow(context, (escrow) => eraseFromEscrow(escrow, contract.id, subject)).catch(
          async (error: unknown) => {
            await onRecord(context, 'keys.destroy', contract.id, {
              ...{ subject, phase: 'escrowed copies still stand', keys: destroyed },
            });
            throw error;
          },
        );
        await onRecord(context, 'keys.destroy', contract.id, { subject, phase: 'done', keys: destroyed, copies });
        const forgotten = await forgetOnDisk(context, contract.id);
        const document = { subject, contract: contract.id, destroyed, copies, forgotten_on_disk: forgotten };
        context.output.result(document, () =>
          [
            `${destroyed.length} keys of ${subject} destroyed; every process lets go of them within 10 s.`,
            `${copies} escrowed copies removed.`,
            forgotten ? FORGOTTEN : STILL_ON_DISK,
          ].join('\n'),
        );
      });
    });

  keys
    .command('check')
    .description(
      'unwrap every data key and check what it is bound to, and that its copy is in escrow; exit code 4 where one fails',
    )
    .requiredOption(...contractOption)
    .option('--repair', 'make the escrow say what the tables say: add what it lacks, remove copies of destroyed keys')
    .addHelpText(
      'after',
      '\nExamples:\n  wardline keys check --contract smart-home\n  wardline keys check --contract smart-home --repair',
    )
    .action(async ({ contract: name, repair }: { contract: string; repair?: boolean }, command: Command) => {
      const context = contextOf(command);
      const contract = loadContract(contractPathOf(context, name));
      const keyStore = await openKeyStore(accessOf(context.connection(), 'source'));
      const faults: { subject: string; class: string; generation: number; code: string }[] = [];
      let checked = 0;
      const escrow = await withTables(context, contract.id, async (tables) => {
        await onRecord(context, 'keys.check', contract.id, repair === true ? { repair } : {});
        for (const { classification, rows } of tables) {
          for await (const { subject, generation, kid, wrapped, state } of rows.list()) {
            if (state === 'destroyed') continue;
            checked += 1;
            try {
              const dataKey = await keyStore.unwrapDek(wrapped, {
                contract: contract.id,
                subject,
                classification,
                generation,
                kid,
              });
              dataKey.key.fill(0);
            } catch (error) {
              faults.push({ subject, class: classification, generation, code: asWardlineError(error).code });
            }
          }
        }
        return checkEscrow(context, contract.id, (wanted) => tableOf(tables, wanted), repair === true);
      });
      const differing = escrowLines(escrow);
      context.output.result({ checked, faults, escrow: escrowDocument(escrow), repaired: repair === true }, () =>
        [
          faults.length === 0
            ? `All ${checked} keys are sound.`
            : table([
                ['subject', 'class', 'generation', 'what is wrong'],
                ...faults.map((fault) => [fault.subject, fault.class, String(fault.generation), fault.code]),
              ]),
          ...(differing.length === 0 ? ['Each has its copy in escrow.'] : differing),
          ...(repair === true && differing.length > 0 ? ['The escrow is repaired.'] : []),
        ].join('\n'),
      );
      if (faults.length > 0 || (repair !== true && differing.length > 0)) process.exitCode = EXIT.verification;
    });
}

const FORGOTTEN =
  'Their wrapped form is out of the tables’ files. It may be in the segment of the commit log that is being written: a restart of Cassandra ends that.';
const STILL_ON_DISK =
  'Their wrapped form stays in the servers’ files until Cassandra compacts them. On each node: nodetool flush, then nodetool compact of the keys tables and of system.paxos.';

/** Whether the overwritten keys are out of the table files already: only the home's own Cassandra can be told to drop them. */
async function forgetOnDisk(context: CommandContext, contractId: string): Promise<boolean> {
  if (context.connection().mode !== 'embedded') return false;
  try {
    const tables = SENSITIVE_CLASSES.map((classification) => dekTableName(contractId, classification));
    await forgetOverwritten(context.home(), KEYS_KEYSPACE, tables);
    return true;
  } catch (error) {
    // The keys are destroyed all the same: what is left is as with servers elsewhere.
    context.output.note(asWardlineError(error).message);
    return false;
  }
}

type Tables = readonly {
  readonly classification: (typeof SENSITIVE_CLASSES)[number];
  readonly rows: ReturnType<typeof cassandraDekTable>;
}[];

function tableOf(tables: Tables, wanted: SensitiveClass): Tables[number]['rows'] {
  const found = tables.find(({ classification }) => classification === wanted);
  if (found === undefined) throw new WardlineError('INTERNAL', `there is no table of keys of class ${wanted}`);
  return found.rows;
}

/** The key tables of a contract, as the operator: it made them, but holds no key that unwraps what is in them. */
async function withTables<T>(
  context: CommandContext,
  contractId: string,
  work: (tables: Tables) => Promise<T>,
): Promise<T> {
  const client = cassandraClient(context.connection(), context.principal('operator'));
  try {
    return await work(
      SENSITIVE_CLASSES.map((classification) => ({
        classification,
        rows: cassandraDekTable(client, contractId, classification),
      })),
    );
  } finally {
    await client.shutdown();
  }
}

async function onRecord(
  context: CommandContext,
  action: 'keys.list' | 'keys.destroy' | 'keys.check',
  contractId: string,
  details: Readonly<Record<string, JsonValue>>,
): Promise<void> {
  const audit = context.audit(context.principal('operator'));
  try {
    await audit.append({ action, object: { type: 'contract', id: contractId }, outcome: 'success', details });
  } finally {
    await audit.close();
  }
}
