import { Command, CommanderError } from 'commander';
import { EXIT, WardlineError, asWardlineError } from '../core/errors/errors.ts';
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
import { createOutput } from './output.ts';

/** Before anything is parsed: a command line that cannot be parsed is an error, too, and wants its form. */
const asJson = process.argv.includes('--json');

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
  .configureOutput({ writeErr: (text) => asJson || process.stderr.write(text) })
  .exitOverride();

for (const register of [
  ...[registerLife, registerFlow, registerAccess, registerPrincipals],
  ...[
    registerContract,
    registerNotary,
    registerRecorder,
    registerArchiver,
    registerAudit,
    registerBackup,
    registerRestore,
    registerDemo,
  ],
])
  register(program);

/** How long a process that is done may take to let go of what it holds. */
const LINGER_MILLISECONDS = 1000;

/** Runs the command and leaves its exit code: 0 done, 1 failed, 2 usage, 3 refused, 4 verification failed, 5 not reachable. */
async function main(): Promise<number> {
  try {
    await program.parseAsync();
    return Number(process.exitCode ?? EXIT.done);
  } catch (thrown) {
    const usage = thrown instanceof CommanderError;
    if (usage && thrown.exitCode === 0) return EXIT.done;
    if (usage && !asJson) return EXIT.usage;
    const error = usage ? usageError(thrown) : asWardlineError(thrown);
    const { quiet } = program.opts<{ quiet?: boolean }>();
    const output = createOutput({
      json: asJson,
      quiet: quiet === true,
      stdout: process.stdout,
      stderr: process.stderr,
    });
    const { code, message, hint } = error;
    output.error({ error: { code, message, ...(hint === undefined ? {} : { hint }) } }, () =>
      [`wardline: ${message} (${code})`, ...(hint === undefined ? [] : [`  → ${hint}`])].join('\n'),
    );
    return error.exitCode;
  }
}

/** What commander found wrong with a command line. Called without a command it shows its help, and says nothing else. */
function usageError({ code, message }: CommanderError): WardlineError {
  const wrong = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '');
  return new WardlineError('USAGE', wrong, { hint: '--help shows how' });
}

process.exitCode = await main();
// A client whose server was away in between may keep a connection that nobody uses: it must not keep the process.
setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
