import { hostname } from 'node:os';
import type { Command } from 'commander';
import { createKafkaAuditLog } from '../audit/append/kafka-audit-log.ts';
import type { AuditLog } from '../audit/event/event.ts';
import { spoolAuditLog } from '../audit/spool/spool.ts';
import { systemClock } from '../core/clock.ts';
import { loadConnection, loadSettings, type Settings } from '../core/configuration.ts';
import type { Connection } from '../core/connection.ts';
import { WardlineError } from '../core/errors/errors.ts';
import { openHome, openOrCreateHome, resolveHome, type Home } from '../core/home.ts';
import { accessOf, readCredential } from '../security/connect/access.ts';
import { kafkaClient } from '../security/connect/kafka/kafka.ts';
import { isPrincipalName, PRINCIPAL_NAMES, type PrincipalName } from '../security/principals/names.ts';
import { createOutput, type Output } from './terminal/output.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  readonly config?: string;
  readonly as?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly yes?: boolean;
}

/** What a command works with; each part is read when it is first asked for, so that `--help` needs no home. */
export interface CommandContext {
  readonly output: Output;
  readonly options: GlobalOptions;
  home(): Home;
  homeOrNew(): Home;
  settings(): Settings;
  connection(): Connection;
  /** The principal of `--as`, or `fallback`. */
  principal(fallback: PrincipalName): PrincipalName;
  /** The audit log on Kafka, as a principal: what is not acknowledged there does not happen. */
  audit(principal: PrincipalName): AuditLog;
  /** The home's spool, for acts that must be possible while Kafka is down. */
  spool(principal: PrincipalName): AuditLog;
  /** Aborted by the first SIGINT or SIGTERM, so that a command can end in good order. */
  readonly signal: AbortSignal;
  /** Aborted by the second one: what waits gives up, and leaves uncommitted what is unfinished. */
  readonly secondSignal: AbortSignal;
  /** Asks before something is destroyed. Throws USAGE without a terminal and without `--yes`. */
  confirm(question: string): Promise<void>;
}

export function contextOf(command: Command): CommandContext {
  return createContext(command.optsWithGlobals());
}

/** The same for options that are given; of a home that a command makes for itself, say. */
export function createContext(options: GlobalOptions): CommandContext {
  const once = memo();
  const context: CommandContext = {
    output: createOutput({
      json: options.json === true,
      quiet: options.quiet === true,
      stdout: process.stdout,
      stderr: process.stderr,
    }),
    options,
    home: () => once('home', () => openHome(homePath())),
    homeOrNew: () => once('home', () => openOrCreateHome(homePath())),
    settings: () => once('settings', () => loadSettings(context.home(), options.config)),
    connection: () => once('connection', () => loadConnection(context.home(), context.settings())),
    principal: (fallback) => (options.as === undefined ? fallback : principalNamed(options.as)),
    audit(principal) {
      const connection = context.connection();
      return createKafkaAuditLog({
        kafka: kafkaClient(connection, principal),
        ...author(context.home(), principal, accessOf(connection, principal).signingKey),
        onWaiting: ({ reason }) => context.output.note(`waiting for the audit log: ${reason}`),
      });
    },
    spool: (principal) =>
      spoolAuditLog(
        context.home().paths.spool,
        author(context.home(), principal, signingKeyIn(context.home(), principal)),
      ),
    // Only a command that asks for it takes the signals over; any other is ended by them at once.
    get signal() {
      return once('signals', stopSignals).signal;
    },
    get secondSignal() {
      return once('signals', stopSignals).secondSignal;
    },
    confirm: (question) => confirm(question, options.yes === true),
  };
  return context;

  function homePath(): string {
    return resolveHome(options.home, process.env, process.cwd());
  }
}

function author(home: Home, principal: PrincipalName, signingKeyFile: string) {
  return {
    principal,
    host: hostname(),
    install: home.install,
    signingKeyPem: readCredential(signingKeyFile),
    clock: systemClock,
  };
}

function signingKeyIn(home: Home, principal: PrincipalName): string {
  return `${home.paths.principals}/${principal}/signing.key`;
}

export function principalNamed(name: string): PrincipalName {
  if (isPrincipalName(name)) return name;
  throw new WardlineError('USAGE', `there is no principal ${name}`, {
    hint: `the principals are ${PRINCIPAL_NAMES.join(', ')}`,
  });
}

async function confirm(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new WardlineError('USAGE', `${question} Nobody is there to answer.`, {
      hint: 'repeat the command with --yes',
    });
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new WardlineError('USAGE', 'nothing was done: not confirmed');
  } finally {
    terminal.close();
  }
}

function stopSignals() {
  const first = new AbortController();
  const second = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (first.signal.aborted) second.abort();
      first.abort();
    });
  }
  return { signal: first.signal, secondSignal: second.signal };
}

function memo() {
  const values = new Map<string, unknown>();
  return <T>(name: string, make: () => T): T => {
    if (!values.has(name)) values.set(name, make());
    return values.get(name) as T;
  };
}
