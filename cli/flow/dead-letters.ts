import type { Command } from 'commander';
import { openEscrow, type OpenEscrow } from '../../backup/escrow/open-escrow.ts';
import { systemClock } from '../../core/clock.ts';
import { DEAD_LETTER_CODES } from '../../core/errors/dead-letter-codes.ts';
import { asWardlineError, EXIT } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import type { AuditLog, EventStatement } from '../../audit/event/event.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { loadContract } from '../../governance/contract/index.ts';
import type { DeadLetterContent } from '../../pipeline/dead-letters/letter.ts';
import { listDeadLetters, type ClosedLetter } from '../../pipeline/dead-letters/list.ts';
import { letterNotFound, openLetter } from '../../pipeline/dead-letters/open.ts';
import { createReplay } from '../../pipeline/dead-letters/replay.ts';
import { createProducer } from '../../pipeline/produce.ts';
import { announceTo } from '../../pipeline/seal/key-events.ts';
import { accessOf } from '../../security/connect/access.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { openKeyring, type Keyring } from '../../security/keyring/keyring.ts';
import { openKeyStore, type KeyStore } from '../../security/keyring/key-store/key-store.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { contractPathOf } from '../contract.ts';

/** Commands on dead letters: as the operator, whose keys open those of unknown subjects; the source's keys open the others. */
export function registerDeadLetters(program: Command): void {
  const group = program.command('dead-letters').description('records that could not pass, kept sealed');
  const contractOption = ['--contract <contract>', 'a file, or the id of a known contract'] as const;

  group
    .command('list')
    .description('list dead letters without opening them')
    .requiredOption(...contractOption)
    .option('--code <code>', 'only those with this code')
    .addHelpText('after', '\nExample:\n  wardline dead-letters list --contract smart-home')
    .action(async (options: { contract: string; code?: string }, command: Command) => {
      await withDesk(contextOf(command), options.contract, async (desk) => {
        await desk.onRecord({ action: 'dead-letters.list', outcome: 'success' });
        for await (const letter of desk.letters()) {
          if (options.code !== undefined && letter.code !== options.code) continue;
          const { sealed: _sealed, ...shown } = letter;
          desk.context.output.item(withoutUndefined(shown), () =>
            [
              letter.id,
              letter.time,
              letter.code,
              letter.stage,
              letter.position,
              letter.property ?? '',
              letter.detail,
            ].join('\t'),
          );
        }
      });
    });

  group
    .command('show')
    .description('open one dead letter; goes on the record before it is shown')
    .argument('<id>', 'as listed, such as 0-12')
    .requiredOption(...contractOption)
    .addHelpText('after', '\nExample:\n  wardline dead-letters show 0-12 --contract smart-home')
    .action(async (id: string, options: { contract: string }, command: Command) => {
      await withDesk(contextOf(command), options.contract, async (desk) => {
        for await (const letter of desk.letters()) {
          if (letter.id !== id) continue;
          const content = await desk.open(letter, 'dead-letters.show');
          const { sealed: _sealed, ...shown } = letter;
          desk.context.output.result({ ...withoutUndefined(shown), meaning: meaningOf(letter.code), content }, () =>
            JSON.stringify(readable(content), null, 2),
          );
          return;
        }
        throw letterNotFound(id);
      });
    });

  group
    .command('replay')
    .description('send dead letters again, with their original write timestamps')
    .argument('[ids...]', 'as listed; all unless told otherwise')
    .requiredOption(...contractOption)
    .option('--code <code>', 'only those with this code')
    .addHelpText(
      'after',
      '\nExample:\n  wardline dead-letters replay --code VALUE_OUT_OF_RANGE --contract smart-home --yes',
    )
    .action(async (ids: string[], options: { contract: string; code?: string }, command: Command) => {
      const context = contextOf(command);
      if (ids.length === 0) await context.confirm('This sends all matching dead letters again.');
      await withDesk(context, options.contract, async (desk) => {
        const replay = await desk.replay();
        const counts = { replayed: 0, refused: 0 };
        for await (const letter of desk.letters()) {
          if (ids.length > 0 && !ids.includes(letter.id)) continue;
          if (options.code !== undefined && letter.code !== options.code) continue;
          const outcome = await replay(letter, await desk.open(letter, 'dead-letters.replay')).catch(
            (error: unknown) => {
              const { code, message, retryable } = asWardlineError(error);
              if (retryable) throw error;
              return { replayed: false as const, code, detail: message };
            },
          );
          counts[outcome.replayed ? 'replayed' : 'refused'] += 1;
          if (!outcome.replayed) context.output.note(`${letter.id}: ${outcome.code}: ${outcome.detail}`);
        }
        context.output.result(counts, () => `${counts.replayed} sent again, ${counts.refused} still do not pass.`);
        if (counts.refused > 0) process.exitCode = EXIT.failed;
      });
    });
}

/** What the dead-letter commands work with. */
interface Desk {
  readonly context: CommandContext;
  letters(): AsyncGenerator<ClosedLetter>;
  onRecord(statement: Pick<EventStatement, 'action' | 'outcome' | 'details'>): Promise<void>;
  /** Audited first, then opened: a disclosure. */
  open(letter: ClosedLetter, action: 'dead-letters.show' | 'dead-letters.replay'): Promise<DeadLetterContent>;
  replay(): Promise<ReturnType<typeof createReplay>>;
}

async function withDesk(
  context: CommandContext,
  contractName: string,
  work: (desk: Desk) => Promise<void>,
): Promise<void> {
  const contract: CompiledContract = loadContract(contractPathOf(context, contractName));
  const connection = context.connection();
  const kafka = kafkaClient(connection, 'operator');
  const audit: AuditLog = context.audit('operator');
  const producer = createProducer(kafka);
  const cassandra = cassandraClient(connection, 'source');
  let keyring: Keyring | undefined;
  let escrow: OpenEscrow | undefined;
  let sourceStore: Promise<KeyStore> | undefined;
  const sourceKeys = async (): Promise<{ store: KeyStore; keyring: Keyring }> => {
    sourceStore ??= openKeyStore(accessOf(connection, 'source'));
    const store = await sourceStore;
    const announce = announceTo(audit, contract, store.integrityKey(contract.id));
    escrow ??= openEscrow(context.home(), context.settings(), (id) => store.integrityKey(id));
    keyring ??= openKeyring({ client: cassandra, keyStore: store, clock: systemClock, announce, escrow });
    return { store, keyring };
  };
  const desk: Desk = {
    context,
    letters: () => listDeadLetters(kafka, contract, 'operator', context.signal),
    onRecord: (statement) =>
      audit.append({ ...statement, object: { type: 'topic', id: contract.topic.deadLetterName } }),
    async open(letter, action) {
      await desk.onRecord({ action, outcome: 'success', details: { letter: letter.id, code: letter.code } });
      const keys = await sourceKeys();
      return openLetter(letter, contract, {
        dayKeys: await openKeyStore(accessOf(connection, 'operator')),
        subjectKeys: keys.keyring,
      });
    },
    async replay() {
      const keys = await sourceKeys();
      return createReplay({
        contract,
        integrityKey: keys.store.integrityKey(contract.id),
        keyring: keys.keyring,
        producer,
      });
    },
  };
  try {
    await work(desk);
  } finally {
    keyring?.close();
    await Promise.allSettled([audit.close(), producer.disconnect(), cassandra.shutdown(), escrow?.close()]);
  }
}

/** What a code means; a topic may hold letters of a version that had other codes. */
function meaningOf(code: string): string {
  return (
    Object.entries(DEAD_LETTER_CODES).find(([known]) => known === code)?.[1] ?? 'a code that this version does not know'
  );
}

/** A letter's content for people: fields beside their values, bytes as text. */
function readable(content: DeadLetterContent): JsonValue {
  if (content.kind === 'record')
    return Object.fromEntries(content.fields.map((field, index) => [field, content.values[index] ?? null]));
  if (content.kind === 'input')
    return { head: textOf(content.bytes), bytes: content.totalBytes, sha256: content.sha256 };
  const headers = Object.entries(content.headers).map(([name, value]) => [name, textOf(value)]);
  return {
    key: textOf(content.key),
    value: textOf(content.value),
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

function textOf(base64: string | null): string {
  return base64 === null ? '' : Buffer.from(base64, 'base64').toString();
}

function withoutUndefined(
  document: Readonly<Record<string, JsonValue | undefined>>,
): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    Object.entries(document).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}
