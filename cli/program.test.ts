import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram, GROUPS } from './program.ts';

/** Every command that has no commands of its own, by its name. */
function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  return command.commands.length === 0
    ? [[path.join(' '), command]]
    : command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
}

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

const program = await createProgram({});

describe('help', () => {
  it.each(leaves(program))('of %s has an example and names the options that all commands have', (name, command) => {
    const help = helpOf(command);
    expect(help).toMatch(new RegExp(`Examples?:\\n {2}wardline ${name}`));
    expect(help).toContain('--json');
  });
});

describe('--version', () => {
  it('says the version of the package', async () => {
    let printed = '';
    const asked = await createProgram({ writeOut: (text) => (printed += text) });
    await expect(asked.parseAsync(['node', 'wardline', '--version'])).rejects.toThrow(CommanderError);
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(printed).toBe(`${version}\n`);
  });
});

describe('the commands', () => {
  it('are those that the documents name', () => {
    expect(leaves(program).map(([name]) => name)).toEqual(
      expect.arrayContaining([
        ...[
          'up',
          'down',
          'status',
          'logs',
          'demo',
          'setup',
          'config show',
          'run',
          'source',
          'worker',
          'topics',
          'read',
        ],
        ...['dead-letters list', 'dead-letters show', 'dead-letters replay', 'trace', 'credentials', 'certs mint'],
        ...['certs list', 'certs verify', 'certs rotate', 'keys list', 'keys destroy', 'keys check'],
        ...['contract validate', 'contract show', 'contract ddl', 'contract init', 'contract apply'],
        ...['notary', 'recorder', 'archiver', 'restore', 'backup create', 'backup part', 'backup list', 'backup show'],
        ...[
          'backup verify',
          'backup prune',
          'backup drill',
          'backup identity new',
          'backup identity show',
          'backup home save',
          'backup home open',
        ],
        ...['audit query', 'audit show', 'audit record', 'audit verify', 'audit prove', 'audit check-proof'],
      ]),
    );
  });

  it.each(GROUPS.map(({ commands }) => commands))('are loaded together: %s …', async (...commands) => {
    for (const args of [[commands[0] ?? ''], ['--home', 'run', '--quiet', commands.at(-1) ?? '', 'demo']])
      expect((await createProgram({}, args)).commands.map((command) => command.name()).toSorted()).toEqual(
        commands.toSorted(),
      );
  });

  it('are all there where the arguments name none', async () => {
    for (const args of [['--help'], ['nothing'], ['--home', 'up']])
      expect((await createProgram({}, args)).commands).toHaveLength(program.commands.length);
  });
});
