import { existsSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longestLetterRetention } from '../../../pipeline/dead-letters/retention.ts';
import { principalAccess } from '../../../security/certs/identities.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { csvOf, readings, SMART_HOME_COLUMNS } from '../../support/inputs/smart-home-csv.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { startWardline } from '../../support/faults/process.ts';
import { wardlineOn } from '../../support/wardline.ts';

const { home, connection } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'dead-letter-days');
const kafka = kafkaClient(connection, 'operator');
const admin = kafka.admin();
const DAY = 86_400_000;
const PATIENCE_MILLISECONDS = 60_000;
const WAITS_AT_LEAST_MILLISECONDS = 2000;

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

const published = (['source', 'worker'] as const).map((name) =>
  join(dirname(principalAccess(home, name).keyStore), 'dead-letter-keys.jws'),
);

describe('a process that finds no dead-letter key for the day', () => {
  it('waits, saying why, passes nothing on, and goes on once the keys are made', async () => {
    for (const path of published) renameSync(path, `${path}.aside`);
    // No subject in it that a key could be found by: only the day's key seals such a letter.
    const path = files.file('bad.csv', csvOf(readings(2), SMART_HOME_COLUMNS).concat('unclosed,"x\n'));
    const args = ['run', '--contract', contract.path, '--source', 'csv', '--path', path, '--set', 'home_id=waiting'];
    const running = startWardline(home.path, args);
    await running.says(/waiting: .*no dead-letter keys? (is|are) published/, PATIENCE_MILLISECONDS);
    // Long enough for a letter that somebody passed on to arrive.
    await new Promise((resolve) => setTimeout(resolve, WAITS_AT_LEAST_MILLISECONDS));
    expect(running.isRunning()).toBe(true);
    await wardlineOn(home.path, ['certs', 'mint']);
    for (const file of published) expect(existsSync(file)).toBe(true);
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ records_stored: 2, dead_letters: 1 });
  });

  it('`up` on servers that run publishes them as well', async () => {
    const before = published.map((path) => readFileSync(path, 'utf8'));
    for (const path of published) renameSync(path, `${path}.aside`);
    await wardlineOn(home.path, ['up']);
    const days = published.map((path) => (existsSync(path) ? readFileSync(path, 'utf8').length : 0));
    expect(days).toEqual(before.map((text) => text.length));
  });
});

describe('the longest retention of dead letters', () => {
  it('is what Kafka says of all dead-letter topics; one that keeps them for ever makes it endless', async () => {
    const topics = ['retention-short.dead-letters', 'retention-long.dead-letters', 'retention-other'];
    const make = (topic: string, retention: number): Promise<boolean> =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions: 1, configEntries: [{ name: 'retention.ms', value: String(retention) }] }],
      });
    const before = (await longestLetterRetention(kafka)) ?? 0;
    expect(before).toBeGreaterThan(0);
    const longest = Math.max(20_000 * DAY, before === Infinity ? 0 : before + 1);
    await make(topics[0] ?? '', DAY);
    await make(topics[1] ?? '', longest);
    await make(topics[2] ?? '', -1);
    expect(await longestLetterRetention(kafka)).toBe(before === Infinity ? Infinity : longest);
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: 'retention-ever.dead-letters', configEntries: [{ name: 'retention.ms', value: '-1' }] }],
    });
    expect(await longestLetterRetention(kafka)).toBe(Infinity);
    await admin.deleteTopics({ topics: [...topics, 'retention-ever.dead-letters'] });
  });
});
