import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT, WardlineError } from '../core/errors/errors.ts';
import type { JsonValue } from '../core/record.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import {
  findContract,
  inspectContract,
  loadContract,
  SHIPPED_CONTRACTS,
  tableDdl,
} from '../governance/contract/index.ts';
import { applyProvision, planProvision, type Change } from '../governance/provision/index.ts';
import { contextOf, type CommandContext } from './context.ts';
import { contractInForce, keepContractInForce, recordConfiguration } from './in-force.ts';
import { table } from './terminal/output.ts';

/** Finds a contract by path or id: in the settings' folder, the home, and among those that come with Wardline. */
export function contractPathOf(context: CommandContext, nameOrPath: string): string {
  return findContract(nameOrPath, [...foldersOf(context), SHIPPED_CONTRACTS]);
}

function foldersOf(context: CommandContext): string[] {
  try {
    const { folder } = context.settings().contracts;
    return [...(folder === undefined ? [] : [folder]), context.home().paths.contracts];
  } catch (error) {
    // A contract can be looked at without a home.
    if (error instanceof WardlineError && error.code === 'HOME_NOT_FOUND') return [];
    throw error;
  }
}

/**
 * Provisions what a contract needs, as the operator, and puts every change on the record: of the servers, and of the
 * contract itself since it was last used here. Returns the changes made.
 */
export async function provision(
  context: CommandContext,
  contract: CompiledContract,
  file: string,
): Promise<readonly Change[]> {
  const { id, version, hash } = contract;
  const changes = await applyProvision(context.connection(), contract, context.settings());
  const previous = contractInForce(context.home(), id);
  if (changes.length === 0 && previous?.hash === hash && previous.document !== '') return changes;
  const audit = context.audit('operator');
  try {
    await audit.append({
      action: 'contract.apply',
      object: { type: 'contract', id },
      outcome: 'success',
      contract: { id, version, hash },
      counts: { changes: changes.length },
      details: {
        changes: changes.map(({ kind, name }) => `${kind} ${name}`),
        ...(previous === undefined || previous.hash === hash
          ? {}
          : { previous: { version: previous.version, hash: previous.hash } }),
      },
    });
  } finally {
    await audit.close();
  }
  keepContractInForce(context.home(), contract, file);
  return changes;
}

/** Commands on contracts. */
export function registerContract(program: Command): void {
  const contract = program.command('contract').description('data contracts');

  contract
    .command('validate')
    .description('check a contract; names every problem with its place, and every key that Wardline does not enforce')
    .argument('<contract>', 'a file, or the id of a known contract')
    .addHelpText('after', '\nExample:\n  wardline contract validate my.odcs.yaml')
    .action((name: string, _options, command: Command) => {
      const context = contextOf(command);
      const path = contractPathOf(context, name);
      const { contract: found, problems } = inspectContract(path);
      const notEnforced = found?.notEnforced ?? [];
      context.output.result(
        { file: path, valid: found !== undefined, problems, notEnforced } as unknown as JsonValue,
        () =>
          [
            found === undefined
              ? `${path} is not a contract that can be enforced:`
              : `${path} is valid: ${found.id} ${found.version}, ${found.properties.length} properties.`,
            ...problems.map(
              ({ file, line, column, path: key, message }) => `  ${file}:${line}:${column}  ${key}: ${message}`,
            ),
            ...(notEnforced.length === 0 ? [] : ['Not enforced by Wardline:', ...notEnforced.map((key) => `  ${key}`)]),
          ].join('\n'),
      );
      if (found === undefined) process.exitCode = EXIT.usage;
    });

  contract
    .command('show')
    .description("show a contract's properties: where each comes from, its class, its checks")
    .argument('<contract>')
    .addHelpText('after', '\nExample:\n  wardline contract show smart-home')
    .action((name: string, _options, command: Command) => {
      const context = contextOf(command);
      const found = loadContract(contractPathOf(context, name));
      const { id, version, status, hash, properties } = found;
      context.output.result({ id, version, status, hash, properties } as unknown as JsonValue, () =>
        [
          `${id} ${version} (${status})  topic ${found.topic.name}  table ${found.table.keyspace}.${found.table.name}`,
          table(
            [
              ['property', 'type', 'class', 'sealed', 'from', 'derived by', 'checks'],
              ...properties.map((property) => [
                `${property.name}${property.key === undefined ? '' : ` (${property.key})`}`,
                property.type,
                property.classification,
                property.sealedAs === undefined ? '' : 'sealed',
                property.inputs.join(', '),
                property.derived === undefined ? '' : `${property.derived.expression} [${property.derived.at}]`,
                property.checks.join('; '),
              ]),
            ],
            44,
          ),
        ].join('\n'),
      );
    });

  contract
    .command('ddl')
    .description('print the table that a contract stores into')
    .argument('<contract>')
    .addHelpText('after', '\nExample:\n  wardline contract ddl smart-home')
    .action((name: string, _options, command: Command) => {
      const context = contextOf(command);
      const { cql } = tableDdl(loadContract(contractPathOf(context, name)));
      context.output.result({ cql }, () => `${cql};`);
    });

  contract
    .command('init')
    .description('propose a contract for a file; columns that it does not know start as personal')
    .requiredOption('--path <file>', 'a CSV or JSON lines file')
    .option('--format <format>', 'csv or jsonl; by the name of the file unless told otherwise')
    .option('--out <file>', 'where to write it; standard output unless told otherwise')
    .addHelpText('after', '\nExample:\n  wardline contract init --path readings.csv --out readings.odcs.yaml')
    .action(async ({ path, format, out }: { path: string; format?: string; out?: string }, command: Command) => {
      const context = contextOf(command);
      const { proposeContract } = await import('../governance/contract/propose.ts');
      const text = await proposeContract({ path, format: format ?? (path.endsWith('.jsonl') ? 'jsonl' : 'csv') });
      if (out === undefined) {
        context.output.result({ contract: text }, () => text.trimEnd());
        return;
      }
      writeFileSync(out, text, { flag: 'wx' });
      context.output.result(
        { file: out },
        () => `Written to ${out}. Read it, decide on each class, then: wardline contract validate ${out}`,
      );
    });

  contract
    .command('apply')
    .description('provision what a contract needs: topics, tables, rights; as the operator')
    .argument('<contract>')
    .option('--dry-run', 'only show what would change')
    .addHelpText('after', '\nExample:\n  wardline contract apply smart-home --dry-run')
    .action(async (name: string, { dryRun }: { dryRun?: boolean }, command: Command) => {
      const context = contextOf(command);
      const file = contractPathOf(context, name);
      const found = loadContract(file);
      if (dryRun !== true) await recordConfiguration(context, 'operator', found);
      const changes =
        dryRun === true
          ? await planProvision(context.connection(), found, context.settings())
          : await provision(context, found, file);
      context.output.result({ dryRun: dryRun === true, changes } as unknown as JsonValue, () =>
        changes.length === 0
          ? 'Nothing to change.'
          : [
              dryRun === true ? 'Would change:' : 'Changed:',
              ...changes.map(({ kind, name: object, detail }) => `  ${kind}  ${object}  ${detail}`),
            ].join('\n'),
      );
    });
}
