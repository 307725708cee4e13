import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scratch } from '../../test/support/scratch.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { stackLayout } from '../layout.ts';
import { requireJava } from './prerequisites.ts';
import { archiveOptions, archivesToKeep, keepServerArchives } from './server-archive.ts';

const { folder } = scratch();
const jars = { kafka: join(folder, 'kafka'), cassandra: join(folder, 'cassandra') };
const file = join(folder, 'kafka.jsa');
/** What is there of an archive, beside the lock that its makers took. */
const archives = (): readonly string[] => readdirSync(folder).filter((name) => /\.jsa(?!\.lock)/.test(name));
let made: TemporaryHome;

beforeAll(() => {
  made = temporaryHome();
  for (const path of Object.values(jars)) mkdirSync(path);
});
afterAll(() => made.remove());

it('a first start notes what it loads; what it noted becomes an archive once, which the next starts map', async () => {
  const { home } = made;
  const { folder: own } = stackLayout(home).kafka;
  expect(archiveOptions(home, 'kafka', jars)).toEqual([`-XX:DumpLoadedClassList=${join(own, 'classes.list')}`]);
  expect(archivesToKeep(home, jars)).toEqual([]);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'classes.list'), 'java/lang/Object\njava/lang/String\n');
  expect(archivesToKeep(home, jars)).toEqual(['kafka']);

  const program = { java: await requireJava(process.env), jars };
  await Promise.all([1, 2].map(() => keepServerArchives(home, ['kafka'], program)));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(archives()).toEqual(['kafka.jsa']);
  expect(archivesToKeep(home, jars)).toEqual([]);
  expect(archiveOptions(home, 'kafka', jars)).toEqual(['-Xshare:auto', `-XX:SharedArchiveFile=${file}`]);
});

it('a list of which nothing can be made leaves nothing behind', async () => {
  const { home } = made;
  await keepServerArchives(home, ['cassandra'], { java: join(folder, 'no-java'), jars });
  expect(archives()).toEqual(['kafka.jsa']);
});
