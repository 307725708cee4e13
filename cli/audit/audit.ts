import type { Command } from 'commander';
import { registerProofs } from './proofs.ts';
import { registerRecord } from './record.ts';
import { registerQuery } from './query.ts';
import { registerShow } from './show.ts';
import { registerStats } from './stats.ts';
import { registerVerify } from './verify.ts';

/** Commands on the audit log. Each acts as the auditor unless told otherwise, and is itself an event before it answers. */
export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('ask, verify and prove the audit log');
  for (const register of [
    ...[registerQuery, registerShow, registerRecord],
    ...[registerVerify, registerProofs, registerStats],
  ])
    register(audit);
}
