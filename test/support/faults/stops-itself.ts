import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import cassandra from 'cassandra-driver';
import kafkajs, { type Consumer, type Producer, type ProducerRecord } from 'kafkajs';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { isBackupStep, stopAtBackupStep, type BackupStep } from './backup/steps.ts';
import { replace, stopHere } from './stop-here.ts';

/**
 * Loaded into a process of Wardline before its own code (`--import`): the process stops itself, as by SIGSTOP from
 * outside, each time it comes to the step that STOPS_AT names. Who watches it lets it go on, or kills it there.
 */

/** Steps at which a process can stop itself. */
export type Step = 'before an event' | 'before a commit' | 'after a batch' | 'after progress was kept' | BackupStep;

/** The environment variable that names the step. */
export const STOPS_AT = 'TEST_STOPS_AT';

const step = process.env[STOPS_AT];

switch (step as Step | undefined) {
  case 'before an event':
    replace(kafkajs.Kafka.prototype, 'producer', (create, options) => {
      const producer = create(...options) as Producer;
      replace(producer, 'send', (send, call) => {
        if ((call[0] as ProducerRecord).topic === AUDIT_TOPIC) stopHere();
        return send(...call);
      });
      return producer;
    });
    break;
  case 'before a commit':
    replace(kafkajs.Kafka.prototype, 'consumer', (create, options) => {
      const consumer = create(...options) as Consumer;
      replace(consumer, 'commitOffsets', (commit, call) => {
        stopHere();
        return commit(...call);
      });
      return consumer;
    });
    break;
  case 'after progress was kept':
    replace(fs, 'renameSync', (rename, call) => {
      rename(...call);
      if (String(call[1]).endsWith('audit-verified.json')) stopHere();
    });
    // Modules import it by its name.
    syncBuiltinESMExports();
    break;
  case 'after a batch':
    replace(cassandra.Client.prototype, 'batch', async (write, call) => {
      const answer = await write(...call);
      stopHere();
      return answer;
    });
    break;
  default:
    if (isBackupStep(step)) stopAtBackupStep(step);
}
