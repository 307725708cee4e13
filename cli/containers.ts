import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ensureRecovery } from '../backup/recipients/recovery.ts';
import { systemClock } from '../core/clock.ts';
import { loadSettings } from '../core/configuration.ts';
import { prepareContainers, provisionServersElsewhere } from '../stack/index.ts';
import { recordFirstIdentity } from './backup/identity/identity-state.ts';
import { escrowKeyStoresNow } from './backup/identity/key-escrow.ts';
import { contextOf } from './context.ts';
import { recordOnSpool } from './start-record.ts';
import { atLeastOne } from './terminal/options.ts';

interface PrepareOptions {
  readonly volumes: string;
  readonly settings?: string;
  readonly nodes: number;
  readonly profiles: string;
}

/** Adds `containers`: what the one-shot services of docker-compose.yml run. */
export function registerContainers(program: Command): void {
  const containers = program.command('containers').description('the one-shot services of docker-compose.yml');

  containers
    .command('prepare')
    .description(
      'make certificates, secrets and configuration for servers in containers, and give each volume what its container needs',
    )
    .requiredOption('--volumes <folder>', 'where the volumes are mounted, each by its name')
    .option('--settings <file>', 'settings that differ from the defaults')
    .option('--nodes <number>', 'how many brokers, and how many nodes of Cassandra', atLeastOne, 1)
    .option('--profiles <names>', 'the profiles that are on; with `telemetry`, telemetry goes to the collector', '')
    .addHelpText('after', '\nExample:\n  wardline containers prepare --volumes /volumes --settings /settings.yaml')
    .action(async ({ volumes, settings, nodes, profiles }: PrepareOptions, command: Command) => {
      const context = contextOf(command);
      const home = context.homeOrNew();
      // Before the first key: none is made that cannot be escrowed.
      const firstIdentity = await ensureRecovery(home, systemClock);
      await prepareContainers(home, loadSettings(home, settings), {
        folder: resolve(volumes),
        settingsText: settings === undefined ? undefined : readFileSync(settings, 'utf8'),
        nodes,
        collector: profiles.split(',').some((name) => ['telemetry', '*'].includes(name)),
      });
      if (firstIdentity) await recordFirstIdentity(context);
      await escrowKeyStoresNow(context);
      context.output.result(
        { home: home.path, volumes },
        () => `Certificates, secrets and configuration are in place.`,
      );
    });

  containers
    .command('provision')
    .description('give servers in containers their principals, rights and audit topics, as break-glass; waits for them')
    .addHelpText('after', '\nExample:\n  wardline containers provision')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await recordOnSpool(context, 'break-glass', 'break-glass.use');
      await provisionServersElsewhere(context.home(), context.connection());
      await recordOnSpool(context, 'break-glass', 'principals.provision');
      context.output.result({ provisioned: true }, () => 'Principals, rights and audit topics are in place.');
    });
}
