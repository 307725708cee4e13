import { Command, type OutputConfiguration } from 'commander';
import { registerAccess } from './access/access.ts';
import { registerRecorder } from './audit/recorder.ts';
import { registerAudit } from './audit/audit.ts';
import { registerNotary } from './audit/notary.ts';
import { registerArchiver } from './backup/archiver.ts';
import { registerBackup } from './backup/backup.ts';
import { registerContract } from './contract.ts';
import { registerDemo } from './demo/demo.ts';
import { registerFlow } from './flow.ts';
import { registerLife } from './life.ts';
import { registerRestore } from './restore/restore.ts';
import { registerPrincipals } from './access/principals.ts';

/** The command `wardline` with all its commands. What is not done ends in an error that is thrown, never in an exit. */
export function createProgram(output: OutputConfiguration): Command {
  const program = new Command('wardline')
    .description('A governed streaming pipeline: one data contract from source to Kafka to Cassandra.')
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
  for (const register of REGISTERED) register(program);
  return program;
}

/** In the order in which the help lists them. */
const REGISTERED = [
  registerLife,
  registerFlow,
  registerAccess,
  registerPrincipals,
  registerContract,
  registerNotary,
  registerRecorder,
  registerArchiver,
  registerAudit,
  registerBackup,
  registerRestore,
  registerDemo,
];
