import { compareEscrow, repairEscrow, type EscrowDifferences } from '../../../backup/escrow/compare-escrow.ts';
import { escrowKeyStores } from '../../../backup/escrow/key-stores.ts';
import { openEscrow, type OpenEscrow } from '../../../backup/escrow/open-escrow.ts';
import { openEscrowStore } from '../../../backup/objects/open-store.ts';
import { readRecipients } from '../../../backup/recipients/recovery.ts';
import { systemClock } from '../../../core/clock.ts';
import type { SensitiveClass } from '../../../core/classification.ts';
import { asWardlineError, WardlineError } from '../../../core/errors/errors.ts';
import { principalAccess } from '../../../security/certs/identities.ts';
import { accessOf } from '../../../security/connect/access.ts';
import type { JsonValue } from '../../../core/record.ts';
import type { DekTable } from '../../../security/keyring/dek-table.ts';
import { openKeyStore } from '../../../security/keyring/key-store/key-store.ts';
import type { CommandContext } from '../../context.ts';

/** Works with the escrow; subjects are named there by what the source holds. */
export async function withEscrow<T>(context: CommandContext, work: (escrow: OpenEscrow) => Promise<T>): Promise<T> {
  const keyStore = await openKeyStore(accessOf(context.connection(), 'source'));
  const escrow = openEscrow(context.home(), context.settings(), (id) => keyStore.integrityKey(id), {
    onWaiting: ({ message }) => context.output.note(`waiting: ${message}`),
  });
  try {
    return await work(escrow);
  } finally {
    await escrow.close();
  }
}

/** Removes the escrowed copies of a subject's keys, which are destroyed already. Says what still stands where it cannot. */
export async function eraseFromEscrow(escrow: OpenEscrow, contract: string, subject: string): Promise<number> {
  try {
    return await escrow.erase(contract, subject, systemClock.now());
  } catch (cause) {
    const { code, message } = asWardlineError(cause);
    throw new WardlineError(code, `the keys are destroyed, but their escrowed copies still stand: ${message}`, {
      hint: 'run the same command again once the escrow can be reached: it completes what is left',
      cause,
    });
  }
}

/** Compares the escrow of a contract with its key tables and, where asked, makes it say what they say. */
export async function checkEscrow(
  context: CommandContext,
  contract: string,
  table: (classification: SensitiveClass) => Pick<DekTable, 'list'>,
  repair: boolean,
): Promise<EscrowDifferences> {
  return withEscrow(context, async (escrow) => {
    const { store } = escrow;
    const differences = await compareEscrow({ store, install: context.home().install, contract, escrow, table });
    if (repair) await repairEscrow({ store, escrow }, differences);
    return differences;
  });
}

export function escrowDocument({ missing, destroyed, strays, unmarked }: EscrowDifferences): JsonValue {
  return {
    missing: missing.map(({ subject, classification, generation }) => ({ subject, class: classification, generation })),
    ...{ destroyed, strays },
    unmarked: unmarked.map(({ subject, classification }) => ({ subject, class: classification })),
  };
}

export function escrowLines({ missing, destroyed, strays, unmarked }: EscrowDifferences): readonly string[] {
  return [
    ...missing.map((key) => `no copy in escrow: ${key.subject}, ${key.classification}, generation ${key.generation}`),
    ...destroyed.map((name) => `the copy of a destroyed key is still in escrow: ${name}`),
    ...strays.map((name) => `the copy of a key that never came to be is in escrow: ${name}`),
    ...unmarked.map((erased) => `the escrow does not say that ${erased.subject} is erased, ${erased.classification}`),
  ];
}

/** Escrows the key stores that changed: what data keys are wrapped under is in them. */
export async function escrowKeyStoresNow(context: CommandContext, patienceSeconds?: number): Promise<void> {
  const home = context.home();
  const { connection } = context.settings();
  const store = openEscrowStore(home, context.settings(), {
    onWaiting: ({ message }) => context.output.note(`waiting: ${message}`),
    patienceSeconds,
  });
  try {
    await escrowKeyStores({
      ...{ store, home, recipients: readRecipients(home) },
      access: (principal) => connection?.principals[principal] ?? principalAccess(home, principal),
    });
  } finally {
    await store.close();
  }
}

/** Nobody waits long for `up` because of a store that is away. */
const SHORT_PATIENCE_SECONDS = 5;

/**
 * The same, where nothing depends on it yet: an escrow that cannot be reached is told, and asked again at the next call.
 * No source makes a key before.
 */
export async function escrowKeyStoresIfReachable(context: CommandContext): Promise<void> {
  await escrowKeyStoresNow(context, SHORT_PATIENCE_SECONDS).catch((error: unknown) => {
    context.output.note(`key stores that changed are not escrowed yet: ${asWardlineError(error).message}`);
  });
}
