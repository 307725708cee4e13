import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  noteVerifier,
  parseVerifierKey,
  verifierKeyText,
  type NoteVerifier,
} from '../../audit/checkpoint/signed-note.ts';
import { checkTlogProof } from '../../audit/checkpoint/tlog-proof.ts';
import { newestCheckpoint, proveEvent } from '../../audit/prove/prove.ts';
import { payloadOf } from '../../audit/store/columns.ts';
import { originOf, readEpochs } from '../../audit/store/epochs.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { accessOf } from '../../security/connect/access.ts';
import { checkpointPublicKey } from '../../security/keyring/checkpoint-key.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { newestEpoch, onAuditRecord, placeNamed, placeText, withAuditSources } from './sources.ts';

/** Adds what is given to others, so that they need not trust this installation: proofs, checkpoints, keys. */
export function registerProofs(audit: Command): void {
  audit
    .command('prove')
    .description('write a proof that an event stands in the log (C2SP tlog-proof), checkable offline')
    .argument('<place>', 'its sequence in the newest epoch, or EPOCH/SEQUENCE')
    .option('--out <file>', 'into this file')
    .addHelpText('after', '\nExample:\n  wardline audit prove 4711 --out 4711.tlog-proof')
    .action(async (text: string, { out }: { out?: string }, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, async (sources) => {
        const place = await placeNamed(text, sources);
        await onAuditRecord(context, sources.principal, 'audit.prove', { type: 'event', id: placeText(place) });
        give(context, out, 'proof', await proveEvent(sources, place.epoch, place.sequence), {
          place: placeText(place),
        });
      });
    });

  audit
    .command('check-proof')
    .description('check a proof; needs the file and the key, no servers and no home')
    .argument('<file>')
    .requiredOption('--key <file>', 'keys as `audit key` prints them, got from whom you trust')
    .addHelpText('after', '\nExample:\n  wardline audit check-proof 4711.tlog-proof --key wardline.key')
    .action((file: string, { key }: { key: string }, command: Command) => {
      const { output } = contextOf(command);
      const { entry, index, checkpoint } = checkTlogProof(fileAt(file), keysIn(key));
      const event = (payloadOf(Buffer.from(entry)) as JsonValue | undefined) ?? null;
      const { origin, size } = checkpoint;
      output.result({ holds: true, origin, size, index, event }, () =>
        [
          `The proof holds: this is event ${index} of the ${size} under a checkpoint of ${origin}.`,
          JSON.stringify(event, null, 2),
        ].join('\n'),
      );
    });

  audit
    .command('checkpoint')
    .description('show the newest checkpoint (C2SP tlog-checkpoint): keep it where nobody here can change it')
    .option('--out <file>', 'into this file')
    .addHelpText('after', '\nExample:\n  wardline audit checkpoint --out 2026-05-03.note')
    .action(async ({ out }: { out?: string }, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, async (sources) => {
        await onAuditRecord(context, sources.principal, 'audit.checkpoint', { type: 'audit-log', id: sources.install });
        const { note, checkpoint } = await newestCheckpoint(sources, await newestEpoch(sources));
        give(context, out, 'checkpoint', note, { origin: checkpoint.origin, size: checkpoint.size });
      });
    });

  audit
    .command('key')
    .description('show the keys that checkpoints are verified with, one line an epoch, as note verifiers read them')
    .addHelpText('after', '\nExample:\n  wardline audit key > wardline.key')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, async ({ install, principal, cassandra, connection }) => {
        await onAuditRecord(context, principal, 'audit.key', { type: 'audit-log', id: install });
        const publicKey = checkpointPublicKey(accessOf(connection, 'notary'));
        const numbers = (await readEpochs(cassandra, install)).map(({ epoch }) => epoch);
        const keys = (numbers.length === 0 ? [1] : numbers).map((epoch) =>
          verifierKeyText(noteVerifier(originOf(install, epoch), publicKey)),
        );
        context.output.result({ keys }, () => keys.join('\n'));
      });
    });
}

/** Verifiers of the keys in a file, a line each; empty lines are passed over. Throws USAGE or AUDIT_CHECKPOINT_INVALID. */
export function keysIn(file: string): readonly NoteVerifier[] {
  const lines = fileAt(file).toString('utf8').split('\n');
  const keys = lines.filter((line) => line.trim() !== '').map((line) => parseVerifierKey(line.trim()));
  if (keys.length > 0) return keys;
  throw new WardlineError('USAGE', `${file} holds no key`, { hint: 'wardline audit key prints them' });
}

/** A file that was named on the command line. Throws USAGE where it cannot be read. */
export function fileAt(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WardlineError('USAGE', `${path} cannot be read`, { hint: 'name a file that is there', cause });
  }
}

/** Writes a text into a file, or else to standard output as it is: others' tools read it byte for byte. */
function give(
  { output }: CommandContext,
  out: string | undefined,
  what: string,
  text: string,
  about: Readonly<Record<string, JsonValue>>,
): void {
  if (out !== undefined) writeFileSync(out, text);
  output.result(out === undefined ? { ...about, [what]: text } : { ...about, file: out }, () =>
    out === undefined ? text.replace(/\n$/, '') : `The ${what} is in ${out}.`,
  );
}
