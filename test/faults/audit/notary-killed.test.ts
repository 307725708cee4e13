import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logEnd } from '../../../audit/query/query.ts';
import { topicBounds } from '../../../audit/topic/read-topic.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { stackStatus } from '../../../stack/index.ts';
import { auditLogAs, numberedEvents } from '../../support/audit/events.ts';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const KILLS = 20;
/** Some 800 events a second: what piles up while there is no notary can be worked off afterwards. */
const EVENTS_A_ROUND = 50;
const ROUND_MILLISECONDS = 50;
const PATIENCE = 180_000;
const TIMEOUT = 600_000;

let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack();
});

afterAll(() => stack.remove());

describe('the notary killed twenty times under load', () => {
  it(
    'leaves no event missing or doubled, and every checkpoint consistent with every other',
    async () => {
      const { home } = stack;
      const connection = loadConnection(home, loadSettings(home));
      const audit = auditLogAs(home, connection, 'operator');
      const stop = new AbortController();
      let appended = 0;
      const load = (async () => {
        while (!stop.signal.aborted) {
          await audit.appendAll(numberedEvents(EVENTS_A_ROUND));
          appended += EVENTS_A_ROUND;
          await sleep(ROUND_MILLISECONDS);
        }
      })();
      for (let kills = 0; kills < KILLS;) {
        await sleep(200 + Math.random() * 6000);
        const pid = stackStatus(home).daemons.find(({ name }) => name === 'notary')?.pid;
        if (pid === undefined) continue;
        process.kill(pid, 'SIGKILL');
        kills += 1;
      }
      stop.abort();
      await load;
      await audit.close();
      const client = cassandraClient(connection, 'auditor');
      const topic = { kafka: kafkaClient(connection, 'auditor'), principal: 'auditor' } as const;
      const deadline = Date.now() + PATIENCE;
      for (;;) {
        const { high } = (await topicBounds(topic, AUDIT_TOPIC)) ?? { high: Infinity };
        const stored = await logEnd(client, 1);
        if (stored >= high) break;
        expect(Date.now(), `${stored} of ${high} are stored`).toBeLessThan(deadline);
        await sleep(500);
      }
      await client.shutdown();
      // A checkpoint over the last events follows within five seconds.
      await sleep(7000);
      const { json } = await wardlineOn(home.path, ['audit', 'verify', '--signatures']);
      expect(json).toMatchObject({ whole: true, findings: [] });
      const [{ size = 0 } = {}] = json['epochs'] as readonly { readonly size?: number }[];
      expect(size).toBeGreaterThanOrEqual(appended);
    },
    TIMEOUT,
  );
});
