import { systemClock } from '../../core/clock.ts';
import type { Settings } from '../../core/configuration.ts';
import type { Connection } from '../../core/connection.ts';
import type { Home } from '../../core/home.ts';
import { mintCertificates } from '../../security/certs/mint.ts';
import { mintKeyStores } from '../../security/keyring/mint.ts';
import { bootstrap, isBootstrapped } from '../bootstrap/bootstrap.ts';
import { auditTopicsMissing } from '../bootstrap/kafka-access.ts';
import { formatKafka } from '../bootstrap/format-kafka.ts';
import { configureServers } from '../configure.ts';
import { embeddedConnection, writeConnection } from '../connection.ts';
import { provideJars } from '../provide/jars.ts';
import { DAEMON_NAMES, type DaemonName, SERVER_NAMES, SERVER_TITLES, stackLayout } from '../layout.ts';
import { choosePorts, requireFreePorts, type Ports } from '../ports.ts';
import { requireJava } from '../provide/prerequisites.ts';
import { waitForLock } from '../process/lock.ts';
import { giveUpStorage, noteLoss, readLoss, type Loss } from '../storage/loss.ts';
import { lostServers } from '../storage/mark.ts';
import { whenReady } from './ready.ts';
import {
  runningServer,
  startSupervisor,
  stopSupervisor,
  supervisorOf,
  whenDaemonsOwned,
  whenServersOwned,
} from '../supervisor/control.ts';

/**
 * Told of what a start does beyond starting, which is awaited: of servers whose data is gone, before empty ones take their
 * place; and of the one thing that is done as break-glass, before it and when it is done.
 */
export interface StartRecord {
  readonly lost: (loss: Loss) => Promise<void>;
  readonly beginning: () => Promise<void>;
  readonly done: () => Promise<void>;
}

const NO_RECORD: StartRecord = {
  lost: () => Promise.resolve(),
  beginning: () => Promise.resolve(),
  done: () => Promise.resolve(),
};

/** Whose request tells that the servers are usable, once they know the principals. */
const READER_OF_READINESS = 'operator';

/**
 * Starts Kafka and Cassandra for a home and returns how to reach them, when both answer real requests.
 * Where they run already it only makes sure that they answer. A second call at the same time waits for the first.
 * Whatever an earlier call left unfinished is finished; what an earlier supervisor left running is taken over.
 * Key stores are completed in either case. A server that was set up before and whose data is gone is made anew, empty:
 * see giveUpStorage. `record` is told of that and of a bootstrap. Beside the servers the supervisor runs
 * `daemons`, all unless told otherwise; a supervisor that runs already keeps to those that it was started with.
 * Throws PREREQUISITE_MISSING, PORT_IN_USE, SERVER_START_FAILED or CERTIFICATE_INVALID.
 */
export async function startStack(
  home: Home,
  settings: Settings,
  report: (line: string) => void,
  record: StartRecord = NO_RECORD,
  daemons: readonly DaemonName[] = DAEMON_NAMES,
): Promise<Connection> {
  const lock = await waitForLock(stackLayout(home).supervisor.upLock, (holder) =>
    report(`process ${holder ?? ''} is starting or stopping the servers of this home: waiting for it`),
  );
  try {
    await replaceLost(home, report, record);
    const ports = await choosePorts(stackLayout(home).ports, process.env);
    if (supervisorOf(home) !== undefined) {
      // Dead-letter keys are made for days ahead: servers that run for long must not outlive them.
      await mintKeyStores(home, systemClock);
      return await connect(home, ports, report, record);
    }
    await prepare(home, settings, ports, report, daemons);
    await startSupervisor(home);
    await whenServersOwned(home);
    return await connectOrStop(home, ports, report, record);
  } finally {
    lock.release();
  }
}

async function replaceLost(home: Home, report: (line: string) => void, record: StartRecord): Promise<void> {
  const lost = lostServers(home);
  if (lost.length === 0) return;
  const titles = lost.map((server) => SERVER_TITLES[server]).join(' and ');
  report(`the data of ${titles} is gone: starting empty; what it held comes back with: wardline restore latest`);
  const loss = noteLoss(home, lost, systemClock.now());
  // The other server may run on: it ends in good order, and starts again beside the new one.
  await stopSupervisor(home);
  await record.lost(loss);
  giveUpStorage(home, lost, systemClock.now());
}

async function prepare(
  home: Home,
  settings: Settings,
  ports: Ports,
  report: (line: string) => void,
  daemons: readonly DaemonName[],
): Promise<void> {
  for (const server of SERVER_NAMES)
    if (runningServer(home, server) === undefined) await requireFreePorts(server, ports, stackLayout(home).ports);
  const [jars, java] = await Promise.all([
    provideJars(process.env, report),
    requireJava(process.env),
    mintIdentities(home),
  ]);
  configureServers(home, settings, ports, { java, jars }, daemons);
  await formatKafka(home, { java, jars });
}

async function mintIdentities(home: Home): Promise<void> {
  await mintCertificates(home, systemClock);
  await mintKeyStores(home, systemClock);
}

/** Servers that cannot be used are not left running. */
async function connectOrStop(...start: Parameters<typeof connect>): Promise<Connection> {
  const [home] = start;
  try {
    return await connect(...start);
  } catch (error) {
    await stopSupervisor(home);
    throw error;
  }
}

async function connect(
  home: Home,
  ports: Ports,
  report: (line: string) => void,
  record: StartRecord,
): Promise<Connection> {
  const connection = embeddedConnection(home, ports);
  const bootstrapped = isBootstrapped(home);
  if (!bootstrapped || (await auditTopicsMissing(home, connection))) {
    report(
      bootstrapped
        ? 'audit topics are missing: making them again'
        : `${readLoss(home) === undefined ? 'first start: ' : ''}making principals, rights and audit topics`,
    );
    await record.beginning();
    await bootstrap(home, connection);
    await record.done();
  }
  await Promise.all(SERVER_NAMES.map((server) => whenReady(home, server, [connection], READER_OF_READINESS)));
  writeConnection(home, connection);
  await whenDaemonsOwned(home);
  return connection;
}
