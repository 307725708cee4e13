import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { Command, type OutputConfiguration } from 'commander';

type Register = (program: Command) => void;

/** Commands that are registered together. */
interface Group {
  readonly commands: readonly string[];
  readonly load: () => Promise<Register>;
}

/** In the order in which the help lists them. */
export const GROUPS: readonly Group[] = [
  {
    commands: ['up', 'down', 'status', 'logs', 'setup', 'config'],
    load: async () => (await import('./life.ts')).registerLife,
  },
  {
    commands: ['run', 'source', 'worker', 'topics', 'read', 'dead-letters', 'trace'],
    load: async () => (await import('./flow/flow.ts')).registerFlow,
  },
  { commands: ['credentials', 'certs', 'keys'], load: async () => (await import('./access/access.ts')).registerAccess },
  { commands: ['principals'], load: async () => (await import('./access/principals.ts')).registerPrincipals },
  { commands: ['contract'], load: async () => (await import('./contract.ts')).registerContract },
  { commands: ['notary'], load: async () => (await import('./audit/notary.ts')).registerNotary },
  { commands: ['recorder'], load: async () => (await import('./audit/recorder.ts')).registerRecorder },
  { commands: ['archiver'], load: async () => (await import('./backup/archiver.ts')).registerArchiver },
  { commands: ['audit'], load: async () => (await import('./audit/audit.ts')).registerAudit },
  { commands: ['backup'], load: async () => (await import('./backup/backup.ts')).registerBackup },
  { commands: ['restore'], load: async () => (await import('./restore/restore.ts')).registerRestore },
  { commands: ['doctor'], load: async () => (await import('./doctor/doctor.ts')).registerDoctor },
  { commands: ['containers'], load: async () => (await import('./containers.ts')).registerContainers },
  { commands: ['demo'], load: async () => (await import('./demo/demo.ts')).registerDemo },
];

/** Options of every command that are followed by a value. */
const WITH_VALUE = ['--home', '--config', '--as'];

/**
 * The command `wardline` for these arguments: with the commands that they name alone, which starts faster, or with all.
 * What is not done ends in an error that is thrown, never in an exit.
 */
export async function createProgram(output: OutputConfiguration, args: readonly string[] = []): Promise<Command> {
  const program = new Command('wardline')
    .description('A governed streaming pipeline: one data contract from source to Kafka to Cassandra.')
    .version(releaseOf(import.meta.url))
    .option('--home <dir>', 'the home (else WARDLINE_HOME, else the nearest .wardline upward)')
    .option('--config <file>', "another file of settings than the home's wardline.yaml")
    .option('--as <principal>', 'act as this principal')
    .option('--json', 'one JSON document, or JSON lines, on standard output')
    .option('--quiet', 'no progress and no remarks')
    .option('--yes', 'answer yes where a command asks')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows how)')
    .configureOutput(output)
    .exitOverride();
  const name = commandIn(args);
  const group = GROUPS.find(({ commands }) => commands.some((command) => command === name));
  for (const { load } of group === undefined ? GROUPS : [group]) (await load())(program);
  return program;
}

/** The version in the package.json above a module: the repository's, or that of an installed package. */
function releaseOf(module: string): string {
  const file = findPackageJSON('.', module);
  const { version } = JSON.parse(file === undefined ? '{}' : readFileSync(file, 'utf8')) as { version?: string };
  return version ?? 'unknown';
}

function commandIn(args: readonly string[]): string | undefined {
  return args.find((arg, at) => !arg.startsWith('-') && !WITH_VALUE.includes(args[at - 1] ?? ''));
}
