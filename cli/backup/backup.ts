import type { Command } from 'commander';
import { registerCreate } from './create.ts';
import { registerDrill } from './drill/drill.ts';
import { registerHome } from './home.ts';
import { registerIdentity } from './identity/identity.ts';
import { registerList } from './list.ts';
import { registerPart } from './part.ts';
import { registerPrune } from './prune.ts';
import { registerVerify } from './verify.ts';

/** Commands on backups. Those that change something, or check it, are events. */
export function registerBackup(program: Command): void {
  const backup = program.command('backup').description('make, list, verify and remove backups; the recovery identity');
  for (const register of [
    registerCreate,
    registerPart,
    registerList,
    registerVerify,
    registerPrune,
    registerDrill,
    registerIdentity,
    registerHome,
  ])
    register(backup);
}
