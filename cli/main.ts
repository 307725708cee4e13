import { CommanderError } from 'commander';
import { EXIT, WardlineError, asWardlineError } from '../core/errors/errors.ts';
import { createProgram } from './program.ts';
import { createOutput } from './terminal/output.ts';

/** Before anything is parsed: a command line that cannot be parsed is an error, too, and wants its form. */
const asJson = process.argv.includes('--json');

const program = await createProgram(
  { writeErr: (text) => asJson || process.stderr.write(text) },
  process.argv.slice(2),
);

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
