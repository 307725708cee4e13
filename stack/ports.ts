import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import { sleep } from '../core/clock.ts';
import { WardlineError } from '../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../core/files.ts';
import { listenerOf } from './process/listener.ts';
import { SERVER_TITLES, type ServerName } from './layout.ts';
import { withPortsOfHomes } from './ports-of-homes.ts';

/** The servers listen here only. */
export const LOOPBACK = '127.0.0.1';

/** Below the ports that Linux and macOS give to outgoing connections, so that a stopped server's port stays free. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const ATTEMPTS = 200;
const GRACE_MILLISECONDS = 2000;
const POLL_MILLISECONDS = 100;

/** Every port of the stack: whose it is, and how it is called in a message. */
const PORT_PURPOSES = {
  kafkaClient: { server: 'kafka', purpose: 'its clients' },
  kafkaBroker: { server: 'kafka', purpose: 'other brokers' },
  kafkaController: { server: 'kafka', purpose: 'its controller' },
  cassandraClient: { server: 'cassandra', purpose: 'its clients' },
  cassandraInternode: { server: 'cassandra', purpose: 'other nodes' },
  cassandraJmx: { server: 'cassandra', purpose: 'JMX' },
} as const satisfies Record<string, { server: ServerName; purpose: string }>;

type PortName = keyof typeof PORT_PURPOSES;
export type Ports = Readonly<Record<PortName, number>>;

const PORT_NAMES = Object.keys(PORT_PURPOSES) as PortName[];
const port = z.int().min(1).max(65_535);
const portsSchema = z.strictObject({
  kafkaClient: port,
  kafkaBroker: port,
  kafkaController: port,
  cassandraClient: port,
  cassandraInternode: port,
  cassandraJmx: port,
});

/** The ports that the file keeps, or undefined where none were chosen yet (or the file is damaged: then they are chosen anew). */
export function readPorts(file: string): Ports | undefined {
  try {
    return portsSchema.safeParse(JSON.parse(readIfPresent(file) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/**
 * The ports that the file keeps; at the first call free ones are chosen at random and kept, none of which another home of
 * this user keeps.
 */
export async function choosePorts(file: string, environment: NodeJS.ProcessEnv): Promise<Ports> {
  const kept = readPorts(file);
  if (kept !== undefined) return kept;
  return withPortsOfHomes(environment, async (homes) => {
    const others = homes.files.filter((other) => other !== file && readPorts(other) !== undefined);
    // First: a home that is written down and has chosen nothing is passed over.
    homes.keep([...others, file]);
    const ports = await freePorts(new Set(others.flatMap((other) => Object.values(readPorts(other) ?? {}))));
    makeSecretFolder(dirname(file));
    writeFileAtomic(file, `${JSON.stringify(ports, null, 2)}\n`);
    return ports;
  });
}

async function freePorts(others: ReadonlySet<number>): Promise<Ports> {
  const taken = new Set(others);
  const chosen: Partial<Record<PortName, number>> = {};
  for (const name of PORT_NAMES) {
    const free = await freePort(taken);
    taken.add(free);
    chosen[name] = free;
  }
  return portsSchema.parse(chosen);
}

/**
 * Throws PORT_IN_USE, naming the port, what needs it and who has it, where a port of `server` can be bound neither by us nor
 * by the process `own`, which has it already.
 */
export async function requireFreePorts(server: ServerName, ports: Ports, file: string, own?: number): Promise<void> {
  for (const name of PORT_NAMES) {
    const { server: owner, purpose } = PORT_PURPOSES[name];
    if (owner !== server || (await becomesFree(ports[name]))) continue;
    const holder = listenerOf(ports[name]);
    if (holder !== undefined && holder.pid === own) continue;
    const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`;
    throw new WardlineError(
      'PORT_IN_USE',
      `port ${ports[name]}, on which ${SERVER_TITLES[server]} listens for ${purpose}, is used by ${who}`,
      { hint: `end that process, or give "${name}" another port in ${file}` },
    );
  }
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const candidate = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!taken.has(candidate) && (await canBind(candidate))) return candidate;
  }
  throw new WardlineError('PORT_IN_USE', `no free port was found between ${FIRST_PORT} and ${LAST_PORT}`, {
    hint: 'end what listens there',
  });
}

/** A process that has just ended may take a moment to let go of its ports. */
async function becomesFree(candidate: number): Promise<boolean> {
  const deadline = Date.now() + GRACE_MILLISECONDS;
  while (!(await canBind(candidate))) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MILLISECONDS);
  }
  return true;
}

function canBind(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port: candidate, host: LOOPBACK, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
