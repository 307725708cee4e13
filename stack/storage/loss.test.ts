import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import type { Home } from '../../core/home.ts';
import { stackLayout } from '../layout.ts';
import { clearLoss, giveUpStorage, noteLoss, readLoss } from './loss.ts';
import { isMarked, KAFKA_MARK, lostServers, markBootstrapped, wasSetUp } from './mark.ts';

const RIGHTS = 'digest of rights';
const FOUND = Date.UTC(2026, 10, 28, 3, 0, 0);

let temporary: TemporaryHome;
let home: Home;
let layout: ReturnType<typeof stackLayout>;

beforeEach(() => {
  temporary = temporaryHome();
  ({ home } = temporary);
  layout = stackLayout(home);
  for (const folder of [layout.kafka.data, layout.cassandra.data, layout.cassandra.commitLog, layout.logs])
    mkdirSync(folder, { recursive: true });
  mkdirSync(layout.supervisor.folder, { recursive: true });
  writeFileSync(join(layout.kafka.data, KAFKA_MARK), '');
  writeFileSync(layout.kafka.formatted, '{}');
  writeFileSync(join(layout.cassandra.commitLog, 'CommitLog-1.log'), 'x');
});

afterEach(() => temporary.remove());

const asides = (folder: string): string[] => readdirSync(folder).filter((name) => name.includes('.lost-'));

describe('the marks of storage', () => {
  it('say nothing before a first bootstrap', () => {
    rmSync(layout.kafka.data, { recursive: true });
    expect([wasSetUp(home), isMarked(home, RIGHTS), lostServers(home)]).toEqual([false, false, []]);
  });

  it('say that the servers are set up, with these rights and no others', () => {
    markBootstrapped(home, RIGHTS);
    expect([isMarked(home, RIGHTS), isMarked(home, 'others'), lostServers(home)]).toEqual([true, false, []]);
  });

  it('of a home that was set up before there were any take nothing for lost', () => {
    writeFileSync(layout.supervisor.bootstrapped, JSON.stringify({ rights: RIGHTS }));
    expect([isMarked(home, RIGHTS), lostServers(home)]).toEqual([false, []]);
  });

  it.each([
    { what: 'Kafka’s data', lost: ['kafka'], remove: () => rmSync(layout.kafka.data, { recursive: true }) },
    { what: 'Cassandra’s data', lost: ['cassandra'], remove: () => rmSync(layout.cassandra.data, { recursive: true }) },
    {
      what: 'both',
      lost: ['kafka', 'cassandra'],
      remove: () => {
        for (const folder of [home.paths.kafka, home.paths.cassandra]) rmSync(folder, { recursive: true });
      },
    },
  ])('say that $what is lost', ({ lost, remove }) => {
    markBootstrapped(home, RIGHTS);
    remove();
    expect([isMarked(home, RIGHTS), lostServers(home)]).toEqual([false, lost]);
  });

  it('say that the data is that of another', () => {
    markBootstrapped(home, RIGHTS);
    writeFileSync(layout.cassandra.storageMark, JSON.stringify({ storage: 'of another' }));
    expect(lostServers(home)).toEqual(['cassandra']);
  });
});

describe('a loss', () => {
  it('is kept with the last sign of life until it is made good, the first finding of each server', () => {
    writeFileSync(layout.kafka.log, '');
    writeFileSync(layout.cassandra.log, '');
    utimesSync(layout.kafka.log, FOUND / 1000 - 9, FOUND / 1000 - 9);
    utimesSync(layout.cassandra.log, FOUND / 1000 - 4, FOUND / 1000 - 4);
    const kafka = { foundAt: FOUND, lastSign: FOUND - 4000 };
    expect(noteLoss(home, ['kafka'], FOUND)).toEqual({ kafka });
    noteLoss(home, ['kafka', 'cassandra'], FOUND + 60_000);
    expect(readLoss(home)).toMatchObject({ kafka, cassandra: { foundAt: FOUND + 60_000 } });
    clearLoss(home);
    expect(readLoss(home)).toBeUndefined();
  });

  it('sets aside what is left of Cassandra’s data, and leaves Kafka alone', () => {
    markBootstrapped(home, RIGHTS);
    rmSync(layout.cassandra.data, { recursive: true });
    giveUpStorage(home, lostServers(home), FOUND);
    expect(asides(layout.cassandra.folder)).toEqual(['commitlog.lost-20261128T030000Z']);
    expect(readdirSync(layout.cassandra.commitLog)).toEqual([]);
    expect(existsSync(join(layout.kafka.data, KAFKA_MARK))).toBe(true);
    expect(wasSetUp(home)).toBe(false);
  });

  it('of Kafka has its storage formatted again', () => {
    markBootstrapped(home, RIGHTS);
    rmSync(join(layout.kafka.data, KAFKA_MARK));
    writeFileSync(join(layout.kafka.data, 'a segment'), 'x');
    giveUpStorage(home, lostServers(home), FOUND);
    expect(asides(layout.kafka.folder)).toEqual(['data.lost-20261128T030000Z']);
    expect(existsSync(layout.kafka.formatted)).toBe(false);
    expect(existsSync(layout.cassandra.storageMark)).toBe(true);
  });
});
