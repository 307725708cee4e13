import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { readIfPresent } from '../../../core/files.ts';
import { failed, held, type Check, type CheckGroup, type Result } from '../check.ts';

/** Set in our images: what else runs in a container may have its reasons. */
const OUR_IMAGE = 'WARDLINE_CONTAINER';
const SOCKETS = ['/var/run/docker.sock', '/run/docker.sock', '/run/podman/podman.sock'];
const CAPABILITIES = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
/** Of a filter, in `/proc/self/status`; see seccomp(2). */
const SECCOMP_FILTER = '2';
/** Files of cgroups, of version 2 and of version 1. */
const LIMITS = {
  memory: ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'],
  processes: ['/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'],
} as const;
/** Version 1 says so where there is no limit: the largest number of pages, in bytes. */
const NO_LIMIT = 2 ** 62;

/** What the container of our image that this runs in may do. Other containers show it to nobody but the engine. */
export const containerChecks: CheckGroup = () =>
  Promise.resolve(isOurContainer() ? [...identity(), ...surroundings()] : []);

export function isOurContainer(): boolean {
  return (process.env[OUR_IMAGE] ?? '') !== '';
}

function identity(): readonly Check[] {
  const status = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(readIfPresent('/proc/self/status') ?? '')?.[1];
  return [
    check('user', 'this container does not run as root', 'user: a number other than 0', () => {
      const user = process.getuid?.();
      return user === 0 ? failed('it runs as user 0') : held(`user ${user ?? 'unknown'}`);
    }),
    check('capabilities', 'this container has no capability, nor can it get one', 'cap_drop: [ALL]', () => {
      const found = CAPABILITIES.map((name) => `${name} ${status(name) ?? 'unknown'}`);
      return found.every((each) => / 0+$/.test(each)) ? held('all sets are empty') : failed(found.join(', '));
    }),
    check('privileges', 'no program in this container gains rights', 'security_opt: [no-new-privileges:true]', () =>
      status('NoNewPrivs') === '1' ? held('NoNewPrivs 1') : failed(`NoNewPrivs ${status('NoNewPrivs') ?? 'unknown'}`),
    ),
    check(
      'seccomp',
      'system calls are filtered',
      "leave out seccomp=unconfined: the engine's own filter is good",
      () =>
        status('Seccomp') === SECCOMP_FILTER ? held('filtered') : failed(`Seccomp ${status('Seccomp') ?? 'unknown'}`),
    ),
  ];
}

function surroundings(): readonly Check[] {
  return [
    check('file-system', 'the file system of this container is read-only', 'read_only: true', () => {
      const path = `/wardline-doctor-${process.pid}`;
      try {
        writeFileSync(path, '');
      } catch (error) {
        return held(error instanceof Error && 'code' in error ? String(error.code) : 'refused');
      }
      rmSync(path, { force: true });
      return failed('a file could be made in /');
    }),
    check('engine', 'the engine cannot be reached from this container', "do not mount the engine's socket", () => {
      const found = SOCKETS.filter((path) => existsSync(path));
      return found.length === 0 ? held('there is no socket of it') : failed(found.join(', '));
    }),
    check('limits', 'memory and processes of this container are limited', 'mem_limit, pids_limit', () => {
      const unlimited = Object.entries(LIMITS).filter(([, files]) => !isLimited(files));
      return unlimited.length === 0
        ? held('both')
        : failed(`no limit of ${unlimited.map(([name]) => name).join(', ')}`);
    }),
  ];
}

function isLimited(files: readonly string[]): boolean {
  const [text = 'max'] = files.flatMap((file) => readIfPresent(file)?.trim() ?? []);
  return text !== 'max' && Number(text) < NO_LIMIT;
}

function check(name: string, title: string, remedy: string, attempt: () => Result): Check {
  return { id: `container/${name}`, title, remedy, attempt: () => Promise.resolve(attempt()) };
}
