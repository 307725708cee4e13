import { kafkaView } from '../../backup/archive/kafka-view.ts';
import { describeTable, isEmptyTable, type Scanner } from '../../backup/restore/table/scan-table.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { noteLoss, readLoss, SERVER_NAMES, type ServerName } from '../../stack/index.ts';
import { SERVER_TITLES } from '../../stack/layout.ts';
import type { CommandContext } from '../context.ts';
import { recordOnSpool } from '../start-record.ts';

export interface DeclaredLoss {
  readonly context: CommandContext;
  /** Of `--lost`. */
  readonly servers: readonly ServerName[];
  readonly contracts: readonly CompiledContract[];
  /** Reads the contracts' tables. */
  readonly superUser: Scanner;
}

/** The servers that `--lost` names. Throws USAGE where they are none, or where `wardline up` finds out by itself. */
export function serversLost(context: CommandContext, named: string): readonly ServerName[] {
  const names = named.split(',').map((name) => name.trim());
  const servers = SERVER_NAMES.filter((server) => names.includes(server));
  if (servers.length !== names.length)
    throw new WardlineError('USAGE', `--lost takes ${SERVER_NAMES.join(', ')}, or both: not ${named}`);
  if (context.connection().mode === 'embedded')
    throw new WardlineError('USAGE', 'this home starts its servers itself, and sees by itself what they lost', {
      hint: 'run wardline up, then restore without --lost',
    });
  return servers;
}

/**
 * Notes, on the record, that servers which Wardline did not start were made anew in place of ones whose data is gone. They
 * MUST be provisioned; nobody may write to them until all is restored. Throws REFUSED_BY_POLICY where one of them holds
 * records or rows: then it is not new. What an earlier call noted stands.
 */
export async function declareLoss({ context, servers, contracts, superUser }: DeclaredLoss): Promise<void> {
  const home = context.home();
  const known = readLoss(home);
  const found = servers.filter((server) => known?.[server] === undefined);
  if (found.length === 0) return;
  if (found.includes('kafka')) await requireNewTopics(context, contracts);
  if (found.includes('cassandra')) await requireNewTables(superUser, contracts);
  await recordOnSpool(context, 'operator', 'stack.loss', noteLoss(home, found, systemClock.now()));
}

async function requireNewTopics(context: CommandContext, contracts: readonly CompiledContract[]): Promise<void> {
  const kafka = kafkaView(kafkaClient(context.connection(), 'operator'));
  try {
    for (const { topic } of contracts)
      for (const { high } of (await kafka.bounds(topic.name)).values())
        if (high > 0) throw notNew('kafka', `the topic ${topic.name} has had records`);
  } finally {
    await kafka.close();
  }
}

async function requireNewTables(superUser: Scanner, contracts: readonly CompiledContract[]): Promise<void> {
  for (const { table } of contracts) {
    const found = await describeTable(superUser, { keyspace: table.keyspace, table: table.name });
    if (found !== undefined && !(await isEmptyTable(superUser, found)))
      throw notNew('cassandra', `the table ${table.keyspace}.${table.name} has rows`);
  }
}

function notNew(server: ServerName, why: string): WardlineError {
  return new WardlineError('REFUSED_BY_POLICY', `${SERVER_TITLES[server]} was not made anew: ${why}`, {
    hint: `restore without --lost ${server}; records and rows that stand are not replaced then`,
  });
}
