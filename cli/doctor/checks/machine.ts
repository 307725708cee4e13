import { readdirSync, statSync, type Dirent } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join, relative } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import { verifyCertificates } from '../../../security/certs/verify.ts';
import { parseCertificate } from '../../../security/certs/parse.ts';
import { identities } from '../../../security/certs/identities.ts';
import { readIfPresent } from '../../../core/files.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { readPorts, stackLayout } from '../../../stack/index.ts';
import { failed, held, notTried, type Check, type CheckGroup, type Patient, type Result } from '../check.ts';
import { isReached } from '../probe/sockets.ts';

const OTHERS = 0o077;
const DAY = 24 * 60 * 60 * 1000;
/** Certificates are made for a year: this leaves time to rotate them. */
const LEAST_DAYS = 30;
/** Records whose write timestamp is further ahead become dead letters. */
const MOST_SKEW_SECONDS = 60;
const LEAST_FREE = 0.1;
const MOST_SHOWN = 5;

/** What is not the servers' own: files, addresses, certificates, clocks and disks. */
export const machineChecks: CheckGroup = (patient) =>
  Promise.resolve([
    check('files/modes', 'no file of the home can be used by anybody but its owner', {
      remedy: 'chmod -R go-rwx the home',
      attempt: () => looseFiles(patient),
    }),
    check('addresses/loopback', 'no port of the embedded servers can be reached from outside this machine', {
      remedy: 'listen on 127.0.0.1 alone, or put the servers behind a firewall',
      attempt: () => outsideAddresses(patient),
    }),
    check('certificates/sound', 'every certificate and key of the home is what it should be', {
      remedy: 'wardline certs mint makes anew what is not; wardline certs verify shows it',
      attempt: () => {
        const rows = verifyCertificates(patient.home, systemClock);
        const wrong = rows.filter(({ passed }) => !passed);
        const [first] = wrong;
        return first === undefined
          ? held(`${rows.length} checks`)
          : failed(`${wrong.length} of ${rows.length}: ${first.name}: ${first.check}: ${first.detail ?? ''}`);
      },
    }),
    check('certificates/lifetime', `no certificate ends within ${LEAST_DAYS} days`, {
      remedy: 'wardline certs rotate',
      attempt: () => shortestLife(patient),
    }),
    check('clock/cassandra', `the clocks of this machine and of Cassandra differ by less than ${MOST_SKEW_SECONDS} s`, {
      remedy: 'keep the clocks of all machines in step, by NTP',
      attempt: () => clockSkew(patient),
    }),
    check('disk/space', `a tenth of the home's disk is free`, {
      remedy: 'make room, or prune backups: wardline backup prune',
      attempt: async () => {
        const { bavail, blocks } = await statfs(patient.home.path);
        const free = bavail / blocks;
        const evidence = `${Math.round(free * 100)} % are free`;
        return free >= LEAST_FREE ? held(evidence) : failed(evidence);
      },
    }),
  ]);

function check(
  id: string,
  title: string,
  { remedy, attempt }: { readonly remedy: string; readonly attempt: () => Result | Promise<Result> },
): Check {
  return { id, title, remedy, attempt: async () => attempt() };
}

function looseFiles({ home }: Patient): Result {
  const loose: string[] = [];
  let files = 0;
  const visit = (folder: string): void => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      if (!entry.isFile()) continue;
      files += 1;
      const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
      if ((mode & OTHERS) !== 0 && isOpenAbove(home.path, path)) loose.push(relative(home.path, path));
    }
  };
  visit(home.path);
  if (loose.length === 0) return held(`${files} files`);
  return failed(`${loose.length} of ${files} files: ${loose.slice(0, MOST_SHOWN).join(', ')}`);
}

/** Whether nobody is kept from a file by a folder above it, up to the home. */
function isOpenAbove(home: string, path: string): boolean {
  for (let folder = join(path, '..'); folder.startsWith(home); folder = join(folder, '..'))
    if ((statSync(folder).mode & OTHERS) === 0) return false;
  return true;
}

/** Servers make and remove files meanwhile. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

async function outsideAddresses({ home, connection }: Patient): Promise<Result> {
  const ports = connection.mode === 'embedded' ? readPorts(stackLayout(home).ports) : undefined;
  if (ports === undefined)
    return notTried('these servers are not embedded: who may reach them is for their network to say');
  const addresses = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0).map(({ address }) => address),
  );
  if (addresses.length === 0) return notTried('this machine has no other address');
  for (const host of addresses)
    for (const [name, port] of Object.entries(ports))
      if (await isReached({ host, port })) return failed(`${name} answers on ${host}:${port}`);
  return held(`${Object.keys(ports).length} ports on ${addresses.join(', ')}`);
}

function shortestLife({ home }: Patient): Result {
  const ends = identities(home).flatMap(({ name, certificate }) => {
    const parsed = parseCertificate(readIfPresent(certificate));
    return parsed === undefined ? [] : [{ name, days: (parsed.validToDate.getTime() - systemClock.now()) / DAY }];
  });
  const first = ends.toSorted((a, b) => a.days - b.days)[0];
  if (first === undefined) return failed('there is no certificate');
  const evidence = `the first, of ${first.name}, in ${Math.floor(first.days)} days`;
  return first.days >= LEAST_DAYS ? held(evidence) : failed(evidence);
}

async function clockSkew({ connection }: Patient): Promise<Result> {
  const client = cassandraClient(connection, 'operator', { connectionsPerHost: 1 });
  try {
    await client.connect();
    const before = systemClock.now();
    const { rows } = await client.execute('SELECT toTimestamp(now()) AS time FROM system.local');
    const after = systemClock.now();
    const time = (rows[0]?.['time'] as Date | undefined)?.getTime() ?? NaN;
    const seconds = Math.max(0, before - time, time - after) / 1000;
    return seconds < MOST_SKEW_SECONDS ? held(`${seconds.toFixed(1)} s`) : failed(`${seconds.toFixed(1)} s`);
  } finally {
    await client.shutdown();
  }
}
