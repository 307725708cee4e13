import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS } from '../../audit/event/actions.ts';
import { openHome } from '../../core/home.ts';
import { contractVariant, propertyOf } from '../support/inputs/contract-variant.ts';
import { readings, smartHomeCsv } from '../support/inputs/smart-home-csv.ts';
import { scratch } from '../support/scratch.ts';
import { wardline, wardlineOn, type WardlineOutcome } from '../support/wardline.ts';

type Item = Readonly<Record<string, unknown>>;

const files = scratch();
/** A home whose servers are started and stopped by the very commands that must be in the trail. */
const home = join(files.folder, 'home');
const SUBJECT = 'home-of-the-trail';
const contract = contractVariant('smart-home', files.folder, 'trail');
/** The same table, another rule: nothing changes on the servers. */
const stricter = contractVariant('smart-home', makeFolder('stricter'), 'trail', (document) => {
  propertyOf(document, 'use_kw')['logicalTypeOptions'] = { minimum: 0, maximum: 1000 };
});
const csv = files.file(
  'trail.csv',
  smartHomeCsv(readings(20, { change: (index) => (index === 7 ? { 'use [kW]': '-1' } : {}) })),
);
const PATIENCE = 30_000;

let events: readonly Item[];
let traceId: string;

const on = (args: readonly string[], expected = 0): Promise<WardlineOutcome> => wardlineOn(home, args, expected);
const named = (path: string) => ['--contract', path];
const run = (path: string) =>
  on(['run', ...named(path), '--source', 'csv', '--path', csv, '--set', `home_id=${SUBJECT}`]);
const read = (purpose: string, principal: string, expected = 0, subject = SUBJECT) =>
  on(['read', subject, ...named(contract.path), '--purpose', purpose, '--as', principal], expected);

function makeFolder(name: string): string {
  const path = join(files.folder, name);
  mkdirSync(path);
  return path;
}

/** The whole trail, once the spool's last entry has come to it. */
async function trail(): Promise<readonly Item[]> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const { items } = await on(['audit', 'query', '--limit', '2000']);
    const found = items.map(({ event }) => event as Item);
    if (found.filter(({ action }) => action === 'stack.up').length === 2) return found;
    if (Date.now() > deadline) throw new Error('the spool was not brought to the log');
    await sleep(500);
  }
}

beforeAll(async () => {
  await on(['up']);
  await on(['contract', 'apply', contract.path]);
  traceId = String((await run(contract.path)).json['trace_id']);
  await read('forecasting', 'reader');
  await read('forecasting', 'reader', 0, 'nobody-known');
  await read('curiosity', 'reader', 3);
  await read('forecasting', 'auditor', 3);
  const [letter] = (await on(['dead-letters', 'list', ...named(contract.path)])).items;
  const id = String(letter?.['id']);
  await on(['dead-letters', 'show', id, ...named(contract.path)]);
  await on(['dead-letters', 'replay', id, ...named(contract.path)], 1);
  await run(stricter.path);
  await run(stricter.path);
  for (const keys of [['list'], ['check'], ['destroy', SUBJECT, '--yes']])
    await on(['keys', ...keys, ...named(contract.path)]);
  await read('forecasting', 'reader', 4);
  await on(['credentials', 'reader']);
  await on(['certs', 'rotate', 'reader']);
  writeFileSync(openHome(home).paths.configuration, 'worker:\n  windowRecords: 500\n');
  await on(['contract', 'apply', stricter.path]);
  const own = files.file('own.yaml', 'worker:\n  windowRecords: 501\n');
  await on(['contract', 'apply', stricter.path, '--config', own]);
  await on(['audit', 'verify']);
  await on(['audit', 'stats']);
  await on(['trace', traceId, '--audit']);
  await on(['doctor', '--only', 'files']);
  writeFileSync(openHome(home).paths.configuration, 'worker:\n  windowRecords: 501\nsource:\n  sealThreads: 1\n');
  await on(['down']);
  await on(['up']);
  events = await trail();
});

afterAll(async () => {
  await wardline(['down', '--wipe', '--yes', '--home', home]);
});

const about = (action: string): readonly Item[] => events.filter((event) => event['action'] === action);
const event = (more: Item) => expect.objectContaining(more) as Item;

describe('every act is in the trail, signed by who did it:', () => {
  it.each([
    ['source', ['source', 'check', 'seal', 'produce', 'dead-letter'].map((stage) => `stage.${stage}`)],
    ['worker', ['consume', 'transform', 'store'].map((stage) => `stage.${stage}`)],
    ['source', ['source.start', 'source.stop', 'keys.create']],
    ['worker', ['worker.start', 'worker.stop']],
    ['reader', ['read.open']],
    ['operator', ['dead-letters.list', 'dead-letters.show', 'dead-letters.replay']],
    ['operator', ['keys.list', 'keys.check', 'keys.destroy', 'credentials.show', 'certs.rotate']],
    ['operator', ['contract.apply', 'config.change', 'stack.up', 'stack.down', 'doctor.run']],
    ['break-glass', ['break-glass.use', 'principals.provision']],
    ['auditor', ['audit.query', 'audit.verify', 'audit.stats']],
    ['notary', ['notary.start', 'notary.stop']],
    ['archiver', ['archiver.start', 'archiver.stop']],
    ['recorder', ['recorder.start', 'server.login', 'server.access', 'server.schema', 'server.grant', 'server.query']],
  ])('%s: %j', (principal, actions) => {
    for (const action of actions) {
      expect(Object.keys(AUDIT_ACTIONS)).toContain(action);
      expect(about(action), action).toContainEqual(event({ actor: event({ principal }) }));
    }
  });

  it('an opening says who, whom, why, which classes and how many; a refused one and an empty one are there as well', () => {
    const object = { type: 'subject', id: SUBJECT };
    const purpose = 'forecasting';
    const opened = about('read.open').find(({ counts }) => Number((counts as Item | undefined)?.['opened']) > 0);
    expect(opened).toMatchObject({ object, outcome: 'success', details: { purpose, classes: ['personal'] } });
    expect(opened?.['contract']).toMatchObject({ id: 'trail', version: '1.0.0' });
    expect(about('read.open')).toContainEqual(event({ outcome: 'denied', code: 'REFUSED_BY_POLICY', object }));
    expect(about('read.open')).toContainEqual(
      event({ outcome: 'denied', code: 'CASSANDRA_REFUSED', actor: event({ principal: 'auditor' }) }),
    );
    expect(about('read.open')).toContainEqual(
      event({ object: { type: 'subject', id: 'nobody-known' }, counts: { rows: 0, opened: 0, failed: 0, masked: 0 } }),
    );
    const destroyed = about('read.open').find(({ counts }) => Number((counts as Item | undefined)?.['failed']) > 0);
    expect(destroyed).toMatchObject({ object, outcome: 'success', counts: { opened: 0 } });
  });

  it('a contract that changed is there once, with its hash and the one before, also where no server had to change', () => {
    const applied = about('contract.apply');
    expect(applied).toHaveLength(2);
    const [first, second] = applied as readonly { contract: Item; counts: Item; details: Item }[];
    expect(first?.counts['changes']).toBeGreaterThan(0);
    expect(first?.details['previous']).toBeUndefined();
    expect(second).toMatchObject({ counts: { changes: 0 }, contract: { id: 'trail' } });
    expect(second?.contract['hash']).not.toBe(first?.contract['hash']);
    const { version, hash } = first?.contract ?? {};
    expect(second?.details['previous']).toEqual({ version, hash });
  });

  it('settings that changed, however, are there once, by name; so are the fields that a run was given', () => {
    const changes = about('config.change').map(({ details }) => details as Item);
    expect(changes.filter(({ set }) => set !== undefined)).toEqual(Array(3).fill({ set: ['home_id'] }));
    const settings = changes.filter(({ set }) => set === undefined);
    expect(settings.map(({ changed }) => changed)).toEqual([
      ['worker.windowRecords'],
      ['worker.windowRecords'],
      ['source.sealThreads'],
    ]);
    expect(settings[1]?.['previous_hash']).toBe(settings[0]?.['hash']);
    expect(JSON.stringify(changes)).not.toContain(SUBJECT);
  });

  it('nobody was refused but who tried: least of all break-glass, at the first start', () => {
    const denied = events.filter(({ outcome }) => outcome === 'denied');
    // A handshake that was broken off before any name was given: on a machine under load a client gives up and tries again.
    const refused = denied.filter((one) => one['code'] !== 'TLS_HANDSHAKE_FAILED');
    const who = (one: Item): unknown =>
      (one['details'] as Item | undefined)?.['principal'] ?? (one['actor'] as Item)['principal'];
    // The events themselves, so that a failure shows who else was, and why.
    expect(refused.filter((one) => !['auditor', 'reader'].includes(String(who(one))))).toEqual([]);
    expect([...new Set(refused.map(who))].sort()).toEqual(['auditor', 'reader']);
  });

  it('and none of it can be told apart from what was signed', async () => {
    expect((await on(['audit', 'verify', '--signatures'])).json).toMatchObject({ whole: true, findings: [] });
  });
});

describe('trace --audit', () => {
  it('shows the events of a run beside its spans, in their order, and is an event itself', async () => {
    const { json } = await on(['trace', traceId, '--audit']);
    const shown = (json['events'] as readonly Item[]).map(({ event: said }) => said as Item);
    expect(new Set(shown.map((said) => said['trace_id']))).toEqual(new Set([traceId]));
    const actions = shown.map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['stage.seal', 'stage.produce', 'stage.store']));
    expect(actions.indexOf('stage.seal')).toBeLessThan(actions.indexOf('stage.store'));
    expect(about('audit.query')).toContainEqual(event({ details: { traceId } }));
  });
});
