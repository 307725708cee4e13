import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { forEachOf } from '../../core/async/for-each.ts';
import { asWardlineError, EXIT } from '../../core/errors/errors.ts';
import { parseContract } from '../../governance/contract/index.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { contractsInForce } from '../in-force.ts';
import { recordOnSpool } from '../start-record.ts';
import { failed, type Check, type CheckGroup, type Patient, type Result } from './check.ts';
import { cassandraRightsChecks } from './checks/cassandra-rights.ts';
import { containerChecks } from './checks/container.ts';
import { jmxChecks } from './checks/jmx.ts';
import { kafkaRightsChecks } from './checks/kafka-rights.ts';
import { listenerChecks } from './checks/listeners.ts';
import { loginChecks } from './checks/logins.ts';
import { machineChecks } from './checks/machine.ts';
import { storeChecks } from './checks/stores.ts';
import { reportDocument, reportText, sarif, type Examined } from './report.ts';

const GROUPS: readonly CheckGroup[] = [
  listenerChecks,
  loginChecks,
  kafkaRightsChecks,
  cassandraRightsChecks,
  jmxChecks,
  machineChecks,
  containerChecks,
  storeChecks,
];
const CHECKS_AT_ONCE = 8;

interface DoctorFlags {
  readonly only?: readonly string[];
  readonly sarif?: string;
}

/** Adds `doctor`. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('try to break in: attempt what must fail and what must work, and show what came of each')
    .option('--only <groups...>', 'these checks alone: ids, or how they begin')
    .option('--sarif <file>', 'also write the failures as SARIF 2.1.0')
    .addHelpText(
      'after',
      [
        '\nIt exits with 4 where a check failed. Nothing that it tries changes data, also where it is let through.',
        '\nExamples:\n  wardline doctor\n  wardline doctor --only kafka-client cassandra-login --sarif doctor.sarif',
      ].join('\n'),
    )
    .action(async (flags: DoctorFlags, command: Command) => {
      const context = contextOf(command);
      // On the spool: it must be possible to ask what is wrong while Kafka is down.
      await recordOnSpool(context, 'operator', 'doctor.run');
      const examined = await examine(context, flags.only);
      if (flags.sarif !== undefined) writeFileSync(flags.sarif, `${JSON.stringify(sarif(examined), null, 2)}\n`);
      context.output.result(reportDocument(examined), () => reportText(examined));
      if (examined.some(({ result }) => result.state === 'failed')) process.exitCode = EXIT.verification;
    });
}

/** Tries every check whose id begins with one of `only`; all of them without it. Results are in the checks' order. */
async function examine(context: CommandContext, only: readonly string[] | undefined): Promise<readonly Examined[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-doctor-'));
  try {
    const patient: Patient = {
      ...{ home: context.home(), settings: context.settings(), connection: context.connection(), folder },
      contracts: contractsOf(context),
    };
    const all = (await Promise.all(GROUPS.map((group) => group(patient)))).flat();
    const checks = all.filter(({ id }) => only === undefined || only.some((start) => id.startsWith(start)));
    const results = new Map<Check, Result>();
    await forEachOf(checks, CHECKS_AT_ONCE, async (check) => {
      context.output.progress(`${results.size} of ${checks.length}: ${check.title}`);
      results.set(check, await attempted(check));
    });
    return checks.map((check) => ({ check, result: results.get(check) ?? failed('it did not end') }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function attempted(check: Check): Promise<Result> {
  try {
    return await check.attempt();
  } catch (error) {
    return failed(asWardlineError(error).message);
  }
}

/** The newest version of each contract that was applied from this home. */
function contractsOf(context: CommandContext): readonly CompiledContract[] {
  const documents = contractsInForce(context.home()).filter(({ document }) => document !== '');
  return documents.map(({ id, document }) => parseContract(document, id));
}
