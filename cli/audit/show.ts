import type { Command } from 'commander';
import { leafHash } from '../../audit/merkle/hash.ts';
import { payloadOf } from '../../audit/store/columns.ts';
import { readEvent } from '../../audit/store/events.ts';
import { verifyEvent } from '../../audit/event/verify-event.ts';
import { asWardlineError, EXIT, WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { contextOf } from '../context.ts';
import { onAuditRecord, placeNamed, placeText, trustedKeysOf, withAuditSources } from './sources.ts';

/** Adds `audit show`. */
export function registerShow(audit: Command): void {
  audit
    .command('show')
    .description('show one event whole, and whether its signature holds')
    .argument('<place>', 'its sequence in the newest epoch, or EPOCH/SEQUENCE')
    .addHelpText('after', '\nExample:\n  wardline audit show 1/4711')
    .action(async (text: string, _options, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, async (sources) => {
        const place = await placeNamed(text, sources);
        await onAuditRecord(context, sources.principal, 'audit.show', { type: 'event', id: placeText(place) });
        const event = await readEvent(sources.cassandra, place.epoch, place.sequence);
        if (event?.message === undefined)
          throw new WardlineError('NOT_FOUND', `there is no event ${placeText(place)}`, {
            hint: 'wardline audit query shows where events stand; wardline audit verify tells whether one is missing',
          });
        const fault = signatureFault(event.message, () => trustedKeysOf(sources.connection));
        const document = {
          place: placeText(place),
          ...place,
          leaf: Buffer.from(leafHash(event.message)).toString('hex'),
          signature: fault ?? 'holds',
          event: (payloadOf(event.message) as JsonValue | undefined) ?? null,
        };
        context.output.result(document, () =>
          [
            `event ${document.place}   leaf ${document.leaf}   signature: ${document.signature}`,
            JSON.stringify(document.event, null, 2),
          ].join('\n'),
        );
        if (fault !== undefined) process.exitCode = EXIT.verification;
      });
    });
}

function signatureFault(message: Buffer, keys: () => ReturnType<typeof trustedKeysOf>): string | undefined {
  try {
    verifyEvent(message, keys());
    return undefined;
  } catch (error) {
    return asWardlineError(error).message;
  }
}
