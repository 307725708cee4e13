import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkTlogProof } from '../../../audit/checkpoint/tlog-proof.ts';
import { parseVerifierKey } from '../../../audit/checkpoint/signed-note.ts';
import { auditLogAs, numberedEvents } from '../../support/audit/events.ts';
import { askGo } from '../../support/audit/go-oracle.ts';
import { scratch } from '../../support/scratch.ts';
import { verified } from '../../support/audit/verified.ts';
import { withStack } from '../../support/stack.ts';
import { startWardline, wardline, wardlineOn } from '../../support/wardline.ts';

const { home, connection } = withStack();
const files = scratch();
const TRACE = 'a'.repeat(31);
const COUNT = 120;
const PATIENCE = 20_000;

type Item = Readonly<Record<string, unknown>>;

const mine = (item: Item): string => ((item['event'] as Item)['object'] as Item)['id'] as string;
const query = async (...flags: string[]): Promise<readonly Item[]> =>
  (await wardlineOn(home.path, ['audit', 'query', '--object', 'test', ...flags])).items;

beforeAll(async () => {
  const audit = auditLogAs(home, connection, 'operator');
  const events = numberedEvents(COUNT).map((event, number) => ({ ...event, traceId: `${TRACE}${number % 2}` }));
  await audit.appendAll(events);
  await audit.close();
  const deadline = Date.now() + PATIENCE;
  // The notary may have just been started: before its first event there is no log to ask.
  const asked = ['audit', 'query', '--object', 'test', '--limit', String(COUNT), '--home', home.path, '--json'];
  while ((await wardline(asked)).items.length < COUNT) {
    if (Date.now() > deadline) throw new Error('the notary of the shared stack stored nothing');
    await sleep(200);
  }
});

describe('audit query', () => {
  it('shows the newest that fit, the oldest first, in pages', async () => {
    const page = await query('--limit', '10');
    expect(page.map(mine)).toEqual(Array.from({ length: 10 }, (_, at) => `number-${COUNT - 10 + at}`));
    const before = await query('--limit', '10', '--before', String(page[0]?.['place']));
    expect(before.map(mine)).toEqual(Array.from({ length: 10 }, (_, at) => `number-${COUNT - 20 + at}`));
  });

  it('takes any filters together', async () => {
    const some = await query(
      '--outcome',
      'denied',
      '--trace',
      `${TRACE}0`,
      '--actor',
      'operator',
      '--action',
      'keys.list',
      '--since',
      '1h',
    );
    expect(some.map(mine)).toEqual(Array.from({ length: COUNT / 10 }, (_, at) => `number-${at * 10}`));
    expect(await query('--outcome', 'denied', '--trace', `${TRACE}1`)).toEqual([]);
    expect(await query('--until', '1h')).toEqual([]);
    expect((await query('--object', 'test:number-7')).map(mine)).toEqual(['number-7']);
  });

  it('is an event itself, before it answers', async () => {
    const { items } = await wardlineOn(home.path, [
      'audit',
      'query',
      '--action',
      'audit.query',
      '--object',
      'audit-log',
      '--limit',
      '1',
    ]);
    await sleep(1500);
    const later = await wardlineOn(home.path, ['audit', 'query', '--action', 'audit.query', '--limit', '3']);
    expect(later.items.length).toBeGreaterThan(items.length);
    expect(later.items.some(({ event }) => ((event as Item)['details'] as Item)['objectType'] === 'audit-log')).toBe(
      true,
    );
  });

  it('prints a table for people, and OCSF for other systems', async () => {
    const args = ['audit', 'query', '--object', 'test', '--limit', '3', '--home', home.path];
    const { stdout } = await wardline(args);
    expect(stdout.split('\n')[0]).toMatch(/^place +time \(UTC\) +actor +action +object +outcome +what happened$/);
    expect(stdout).toMatch(/operator +keys\.list +test number-119 +success +119 number/);
    const ocsf = (await wardline([...args, '--format', 'ocsf'])).items;
    expect(ocsf).toHaveLength(3);
    const lines = (await wardline([...args, '--format', 'jsonl'])).items;
    expect(lines).toEqual((await wardline([...args, '--json'])).items);
    expect(lines.map(mine)).toEqual([117, 118, 119].map((number) => `number-${number}`));
    expect(ocsf[2]).toMatchObject({
      class_uid: 6003,
      type_uid: 600302,
      status_id: 1,
      actor: { user: { name: 'operator' } },
    });
  });

  it('follows', async () => {
    const following = startWardline([
      'audit',
      'query',
      '--object',
      'test',
      '--limit',
      '1',
      '--follow',
      '--home',
      home.path,
      '--json',
    ]);
    await sleep(2500);
    const audit = auditLogAs(home, connection, 'operator');
    await audit.append({ action: 'keys.list', object: { type: 'test', id: 'later' }, outcome: 'success' });
    await audit.close();
    await sleep(2500);
    following.stop();
    expect((await following.outcome).items.map(mine)).toEqual([`number-${COUNT - 1}`, 'later']);
  });

  it('refuses what is no filter', async () => {
    for (const flags of [
      ['--since', 'yesterday'],
      ['--action', 'nothing.known'],
      ['--outcome', 'maybe'],
      ['--before', 'x'],
    ])
      expect((await wardline(['audit', 'query', ...flags, '--home', home.path])).code).toBe(2);
  });
});

describe('audit show, prove, checkpoint and key', () => {
  it('show an event whole, and prove it to whoever has the key', async () => {
    const [{ place = '' } = {}] = (await query('--object', 'test:number-42')) as readonly { readonly place?: string }[];
    const shown = await wardlineOn(home.path, ['audit', 'show', place]);
    expect(shown.json).toMatchObject({ place, signature: 'holds', event: { object: { id: 'number-42' } } });

    const [proof, key, note] = ['42.tlog-proof', 'key', 'note'].map((name) => files.file(name, ''));
    await sleep(5500);
    await wardlineOn(home.path, ['audit', 'prove', place, '--out', String(proof)]);
    await wardlineOn(home.path, ['audit', 'checkpoint', '--out', String(note)]);
    const keys = (await wardlineOn(home.path, ['audit', 'key'])).json['keys'] as readonly string[];
    writeFileSync(String(key), `${keys.join('\n')}\n`);

    const elsewhere = { cwd: files.folder, environment: { HOME: files.folder } };
    const checked = await wardline(['audit', 'check-proof', String(proof), '--key', String(key), '--json'], elsewhere);
    expect(checked).toMatchObject({ code: 0, json: { holds: true, event: { object: { id: 'number-42' } } } });
    const bytes = readFileSync(String(proof));
    const { index, checkpoint } = checkTlogProof(bytes, keys.map(parseVerifierKey));
    // Where there is no Go, the documented example of its note package still holds the format: signed-note.test.ts.
    const go = askGo(String(key), String(note), String(proof));
    expect(go ?? `index ${index} of ${checkpoint.size} holds`).toBe(`index ${index} of ${checkpoint.size} holds`);

    writeFileSync(String(proof), bytes.toString().replace(`index ${index}`, `index ${index + 1}`));
    const wrong = await wardline(['audit', 'check-proof', String(proof), '--key', String(key), '--json'], elsewhere);
    expect(wrong).toMatchObject({ code: 4, error: { code: 'AUDIT_PROOF_INVALID' } });
  });

  it('say so where there is no such event', async () => {
    expect((await wardlineOn(home.path, ['audit', 'show', '999999999'], 1)).error).toMatchObject({ code: 'NOT_FOUND' });
    expect((await wardlineOn(home.path, ['audit', 'prove', '7/1'], 1)).error).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('audit verify and stats', () => {
  it('find the log whole, and go on where the last verification ended', async () => {
    const { epochs, ...rest } = await verified(home.path);
    expect(rest).toEqual({ findings: [], declaredLosses: [] });
    expect(epochs).toMatchObject([{ epoch: 1 }]);
    expect(await verified(home.path, '--since-last')).toMatchObject({ findings: [] });
  });

  it('show how far the notary is', async () => {
    const { json } = await wardlineOn(home.path, ['audit', 'stats', '--count']);
    expect(json['epochs']).toMatchObject([{ epoch: 1 }]);
    expect(json['counts']).toContainEqual(
      expect.objectContaining({ actor: 'operator', action: 'keys.list', outcome: 'denied' }),
    );
  });
});
