import type { Command } from 'commander';
import { ensureRecovery } from '../../backup/recipients/recovery.ts';
import { systemClock } from '../../core/clock.ts';
import { EXIT } from '../../core/errors/errors.ts';
import { mintCertificates } from '../../security/certs/mint.ts';
import { listCertificates } from '../../security/certs/list.ts';
import { finishRotation, rotateCertificates } from '../../security/certs/rotate.ts';
import { verifyCertificates } from '../../security/certs/verify.ts';
import { mintKeyStores } from '../../security/keyring/mint.ts';
import { PRINCIPALS } from '../../security/principals/table.ts';
import { credentials } from '../../security/connect/credentials.ts';
import { reloadCertificates, stackStatus } from '../../stack/index.ts';
import { recordFirstIdentity } from '../backup/identity/identity-state.ts';
import { escrowKeyStoresIfReachable } from '../backup/identity/key-escrow.ts';
import { isOurContainer } from '../doctor/checks/container.ts';
import { contextOf, principalNamed, type CommandContext } from '../context.ts';
import { endDeadLetterKeys } from './dead-letter-keys.ts';
import { registerKeys } from './keys.ts';
import { table } from '../terminal/output.ts';

/** Commands on certificates, credentials and keys. */
export function registerAccess(program: Command): void {
  registerCerts(program);
  registerKeys(program);

  program
    .command('credentials')
    .description(
      'print what any Kafka or Cassandra client needs to act as a principal: names and paths, never a secret',
    )
    .argument('<principal>')
    .addHelpText('after', '\nExample:\n  wardline credentials reader --json')
    .action(async (name: string, _options, command: Command) => {
      const context = contextOf(command);
      const principal = principalNamed(name);
      const document = credentials(context.connection(), principal);
      const audit = context.audit(context.principal('operator'));
      try {
        const about = { object: { type: 'principal', id: principal }, outcome: 'success' } as const;
        await audit.append({ action: 'credentials.show', ...about });
        // Whoever asks for these is about to use them, with a client that tells nobody.
        if (PRINCIPALS[principal].superUser) await audit.append({ action: 'break-glass.use', ...about });
      } finally {
        await audit.close();
      }
      const { kafka, cassandra } = document;
      context.output.result(document as never, () =>
        table(
          [
            ['', principal],
            ['Kafka', kafka.brokers.join(', ')],
            ['  SASL', `${kafka.sasl.mechanism}, user ${kafka.sasl.username}, password in ${kafka.sasl.passwordFile}`],
            ['Cassandra', `${cassandra.contactPoints.join(', ')}, data centre ${cassandra.localDataCenter}`],
            ['  login', `user ${cassandra.username}, password in ${cassandra.passwordFile}`],
            ['TLS CA', kafka.tls.ca],
            ['  certificate', kafka.tls.cert],
            ['  key', kafka.tls.key],
          ],
          200,
        ),
      );
    });
}

function registerCerts(program: Command): void {
  const certs = program.command('certs').description('certificates');

  certs
    .command('mint')
    .description(
      'make what is missing: authority, certificates, signing keys, passwords, key stores, dead-letter keys of the days ahead',
    )
    .addHelpText('after', '\nExample:\n  wardline certs mint --home .wardline')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      const home = context.homeOrNew();
      const { made } = await mintCertificates(home, systemClock);
      await mintKeyStores(home, systemClock);
      await onRecord(context, 'certs.mint', { made: made.length });
      if (await ensureRecovery(home, systemClock)) await recordFirstIdentity(context);
      const elsewhere = context.settings().connection;
      // Of its own servers a home asks at each `up`.
      if (elsewhere?.mode === 'external') await endDeadLetterKeys(context, elsewhere);
      await escrowKeyStoresIfReachable(context);
      context.output.result({ made }, () => (made.length === 0 ? 'Nothing was missing.' : `Made: ${made.join(', ')}`));
    });

  certs
    .command('list')
    .description('list certificates')
    .addHelpText('after', '\nExample:\n  wardline certs list')
    .action((_options, command: Command) => {
      const context = contextOf(command);
      const rows = listCertificates(context.home());
      context.output.result(rows as never, () =>
        table(
          [
            ['name', 'kind', 'not after', 'names', 'SHA-256'],
            ...rows.map((row) => [row.name, row.kind, row.notAfter, row.names.join(' '), row.fingerprint]),
          ],
          50,
        ),
      );
    });

  certs
    .command('verify')
    .description('check every certificate, key and secret file; exit code 4 where a check fails')
    .addHelpText('after', '\nExample:\n  wardline certs verify')
    .action((_options, command: Command) => {
      const context = contextOf(command);
      const rows = verifyCertificates(context.home(), systemClock);
      const failed = rows.filter((row) => !row.passed);
      context.output.result({ checks: rows.length, failed } as never, () =>
        failed.length === 0
          ? `All ${rows.length} checks passed.`
          : table(
              [['name', 'check', 'what is wrong'], ...failed.map((row) => [row.name, row.check, row.detail ?? ''])],
              100,
            ),
      );
      if (failed.length > 0) process.exitCode = EXIT.verification;
    });

  certs
    .command('rotate')
    .description('replace certificates and keys; what is connected stays connected, new connections use the new ones')
    .argument('[names...]', 'servers and principals; all unless told otherwise')
    .option('--authority', 'also make a new authority, trusted beside the old one until --finish')
    .option('--finish', 'trust the current authority alone')
    .addHelpText(
      'after',
      '\nExamples:\n  wardline certs rotate\n  wardline certs rotate --authority && wardline certs rotate --finish',
    )
    .action(async (names: string[], options: { authority?: boolean; finish?: boolean }, command: Command) => {
      const context = contextOf(command);
      const home = context.home();
      const reload = async (): Promise<void> => {
        const { supervisor, servers } = stackStatus(home);
        if (!supervisor.running) return;
        context.output.note('the servers load the certificates: Cassandra at once, Kafka by a graceful restart');
        for (const { name, running } of servers)
          if (!running) context.output.note(`${name} does not run: it loads them when it starts`);
        await reloadCertificates(home);
      };
      const result =
        options.finish === true
          ? await finishRotation(home, systemClock)
          : await rotateCertificates(home, systemClock, {
              names,
              authority: options.authority === true,
              afterTrust: reload,
            });
      await onRecord(context, 'certs.rotate', { rotated: result.rotated.length, trusted: result.trusted });
      await reload();
      if (isOurContainer()) context.output.note(HAND_OUT);
      context.output.result(result as never, () =>
        options.finish === true
          ? 'Only the current authority is trusted now.'
          : `Rotated: ${result.rotated.join(', ')}. Authorities trusted now: ${result.trusted}.`,
      );
    });
}

/** Where each service has a volume of its own. */
const HAND_OUT =
  'the services have the former ones until they are handed out: docker compose stop kafka cassandra; docker compose up --no-deps --force-recreate init; docker compose start kafka cassandra';

/** Certificates must be manageable while Kafka is down: these events go to the spool. */
async function onRecord(
  context: CommandContext,
  action: 'certs.mint' | 'certs.rotate',
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  const home = context.home();
  await context
    .spool('operator')
    .append({ action, object: { type: 'home', id: home.install }, outcome: 'success', counts });
}
