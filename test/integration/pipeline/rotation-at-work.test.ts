import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { systemClock } from '../../../core/clock.ts';
import { identities, principalAccess } from '../../../security/certs/identities.ts';
import { rotateCertificates } from '../../../security/certs/rotate.ts';
import { stackLayout } from '../../../stack/layout.ts';
import { readPorts } from '../../../stack/ports.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { readings, smartHomeCsv } from '../../support/inputs/smart-home-csv.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { peerProxy, type PeerProxy } from '../../support/peer-proxy.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { startWardline, wardlineOn } from '../../support/wardline.ts';

const COUNT = 1200;
/** So slow that records arrive before, during and after the change. */
const RATE = '50/s';
const LIMIT_MILLISECONDS = 60_000;

const { home, connection } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'rotation-at-work');
const own = join(files.folder, 'home of the worker');
const worker = principalAccess(home, 'worker');
let kafka: PeerProxy;
let cassandra: PeerProxy;

const serialNow = (): string => new X509Certificate(readFileSync(worker.certificate)).serialNumber;

beforeAll(async () => {
  const ports = readPorts(stackLayout(home).ports);
  if (ports === undefined) throw new Error('the stack has no ports');
  const proxyOf = (name: 'kafka' | 'cassandra', target: number): Promise<PeerProxy> => {
    const server = identities(home).find((identity) => identity.name === name);
    if (server === undefined) throw new Error(`${name} has no certificate`);
    return peerProxy({ target, ca: connection.kafka.ca, server, client: worker });
  };
  kafka = await proxyOf('kafka', ports.kafkaClient);
  cassandra = await proxyOf('cassandra', ports.cassandraClient);
  mkdirSync(own, { mode: 0o700 });
  const through = {
    ...connection,
    mode: 'external',
    kafka: { ...connection.kafka, brokers: [`127.0.0.1:${kafka.port}`] },
    cassandra: { ...connection.cassandra, contactPoints: [`127.0.0.1:${cassandra.port}`] },
  };
  writeFileSync(join(own, 'wardline.yaml'), stringify({ connection: through }), { mode: 0o600 });
  await wardlineOn(own, ['up']);
  await wardlineOn(home.path, ['contract', 'apply', contract.path]);
});

afterAll(() => Promise.all([kafka.close(), cassandra.close()]));

it('a worker uses a new certificate within 60 s, lets go of the old one, and loses nothing', async () => {
  const path = files.file('readings.csv', smartHomeCsv(readings(COUNT)));
  const source = ['source', '--contract', contract.path, '--source', 'csv', '--path', path, '--rate', RATE];
  const reader = plainCassandra(await outsideCredentials(home.path, 'reader'));
  const stored = async (): Promise<number> => {
    const { rows } = await reader.execute(`SELECT COUNT(*) AS rows_found FROM ${contract.table}`);
    return Number(rows[0]?.['rows_found']);
  };
  const working = startWardline(['worker', '--contract', contract.path, '--home', own, '--json']);
  const sending = startWardline([...source, '--set', 'home_id=rotated', '--home', home.path, '--json']);
  await expect.poll(stored, { timeout: LIMIT_MILLISECONDS, interval: 500 }).toBeGreaterThan(0);
  const former = serialNow();
  expect(new Set([...kafka.seen, ...cassandra.seen])).toEqual(new Set([former]));

  // The authority stays, so the servers need nothing: what changes is the worker's doing alone.
  await rotateCertificates(home, systemClock, { names: ['worker'] });
  const renewed = serialNow();
  expect(renewed).not.toBe(former);
  const patience = { timeout: LIMIT_MILLISECONDS, interval: 200 };
  const since = Date.now();
  await expect.poll(() => kafka.seen.includes(renewed) && cassandra.seen.includes(renewed), patience).toBe(true);
  await expect
    .poll(() => new Set([...kafka.standing(), ...cassandra.standing()]), {
      ...patience,
      timeout: LIMIT_MILLISECONDS - (Date.now() - since),
    })
    .toEqual(new Set([renewed]));

  const sent = await sending.outcome;
  expect(sent.code, sent.stderr).toBe(0);
  expect(sent.json).toMatchObject({ records_read: COUNT, dead_letters: 0 });
  await expect.poll(stored, { timeout: LIMIT_MILLISECONDS, interval: 500 }).toBe(COUNT);
  working.stop();
  const worked = await working.outcome;
  expect(worked.code, worked.stderr).toBe(0);
  expect(Number(worked.json['rows_stored'])).toBeGreaterThanOrEqual(COUNT);
  await reader.shutdown();
}, 240_000);
