import { systemClock } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { longestLetterRetention } from '../../pipeline/dead-letters/retention.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { accessOf } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { destroyDeadLetterKeys } from '../../security/keyring/dead-letter-keys.ts';
import type { CommandContext } from '../context.ts';

/**
 * Destroys the operator's dead-letter keys of the days whose letters Kafka has let go, having put the days on the record.
 * Where Kafka cannot be asked every key stays, and that is said. A store of another home is that home's to care for.
 */
export async function endDeadLetterKeys(context: CommandContext, connection: Connection): Promise<void> {
  const home = context.home();
  try {
    const operator = accessOf(connection, 'operator');
    if (operator.keyStore !== principalAccess(home, 'operator').keyStore) return;
    const retention = await longestLetterRetention(kafkaClient(connection, 'operator'));
    if (retention === undefined || retention === Infinity) return;
    await destroyDeadLetterKeys(operator, retention, systemClock, (days) =>
      context.spool('operator').append({
        action: 'keys.destroy',
        object: { type: 'dead-letter keys', id: home.install },
        outcome: 'success',
        counts: { days: days.length },
        details: { first_day: days[0] ?? '', last_day: days.at(-1) ?? '' },
      }),
    );
  } catch (error) {
    context.output.note(`the dead-letter keys of days gone by stay: ${asWardlineError(error).message}`);
  }
}
