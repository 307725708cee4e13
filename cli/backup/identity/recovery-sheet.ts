import { createPublicKey, type KeyObject } from 'node:crypto';
import { describeRecipients, readIdentities, type Recipients } from '../../../backup/recipients/recovery.ts';
import type { PrincipalAccess } from '../../../core/connection.ts';
import { readIfPresent } from '../../../core/files.ts';
import type { JsonValue } from '../../../core/record.ts';
import { principalAccess } from '../../../security/certs/identities.ts';
import { checkpointPublicKey } from '../../../security/keyring/checkpoint-key.ts';
import { PRINCIPAL_NAMES } from '../../../security/principals/names.ts';
import { publicKeysOf } from '../../audit/sources.ts';
import type { CommandContext } from '../../context.ts';

/** All that somebody needs, beside the two stores, to get everything back on a machine where nothing is left. */
export interface RecoverySheet {
  readonly install: string;
  readonly recipients: Recipients;
  /** The private halves that are in the home still; none once they were taken away. */
  readonly identities: readonly string[];
  /** Of the key stores, by principal. */
  readonly passphrases: Readonly<Record<string, string>>;
  /** Public keys that manifests, events and checkpoints are verified with, as base64 of their SPKI form. */
  readonly verifiers: Readonly<Record<string, string>>;
  readonly stores: { readonly backup: string; readonly escrow: string };
}

/** Gathers the sheet from the home's files; needs no server. */
export function recoverySheet(context: CommandContext): RecoverySheet {
  const home = context.home();
  const { backup, connection } = context.settings();
  const principals: Record<string, PrincipalAccess> = {};
  for (const name of PRINCIPAL_NAMES) principals[name] = connection?.principals[name] ?? principalAccess(home, name);
  const recipients = describeRecipients(home);
  const passphrases = Object.entries(principals).flatMap(([name, access]) => {
    const passphrase = readIfPresent(access.keyStorePassphrase)?.trim();
    return passphrase === undefined ? [] : [[name, passphrase] as const];
  });
  const signing = publicKeysOf({ principals }).map(
    ({ principal, publicKeyPem }) => [principal, spkiText(createPublicKey(publicKeyPem))] as const,
  );
  const notary = principals['notary'];
  return {
    install: home.install,
    recipients,
    identities: recipients.identityFile === undefined ? [] : readIdentities(home, recipients.identityFile),
    passphrases: Object.fromEntries(passphrases),
    verifiers: {
      ...Object.fromEntries(signing),
      ...(notary === undefined ? {} : { checkpoints: spkiText(checkpointPublicKey(notary)) }),
    },
    stores: { backup: backup.store ?? home.paths.backupStore, escrow: backup.escrow ?? home.paths.escrowStore },
  };
}

export function sheetDocument({ recipients, ...rest }: RecoverySheet): JsonValue {
  const { recovery, former, drill = null } = recipients;
  return { ...rest, recipients: { recovery, former, drill } };
}

/** The sheet as a page to be printed. */
export function sheetText(sheet: RecoverySheet): string {
  const { recipients } = sheet;
  const lines = (entries: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(entries).map(([name, value]) => `  ${name.padEnd(12)} ${value}`);
  return [
    `WARDLINE RECOVERY SHEET of installation ${sheet.install}`,
    'Whoever holds it and the two stores can read everything. Keep it offline, and apart from them.',
    '',
    'Recovery identity (age), the newest first',
    ...(sheet.identities.length > 0
      ? sheet.identities
      : ['(not in the home any more: add it from where it is kept)']
    ).map((identity) => `  ${identity}`),
    'Its recipients, the newest first',
    ...[recipients.recovery, ...recipients.former].map((recipient) => `  ${recipient}`),
    '',
    'Passphrases of the key stores, which are escrowed as key-stores/PRINCIPAL.age',
    ...lines(sheet.passphrases),
    '',
    'Public keys that verify (Ed25519, base64 of SPKI)',
    ...lines(sheet.verifiers),
    '',
    'Stores',
    ...lines(sheet.stores),
  ].join('\n');
}

function spkiText(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}
