/** Kafka and Cassandra as supervised child processes of one home: what the rest of the system may use of it. */
export { provisionServersElsewhere } from './bootstrap/bootstrap.ts';
export { setUpByHand } from './bootstrap/by-hand.ts';
export { prepareContainers } from './containers/prepare.ts';
export { ownCommand } from './daemons.ts';
export { forgetOverwritten } from './forget-overwritten.ts';
export { LOG_NAMES, serverLogs, stackLogs, type LogName } from './logs.ts';
export { hasCassandra, nodetool, nodetoolWith } from './nodetool.ts';
export { holderOf, tryLock } from './process/lock.ts';
export { reloadCertificates, restartServer } from './life/restart.ts';
export { setupStack } from './provide/setup.ts';
export { clearLoss, noteLoss, readLoss, type Loss } from './storage/loss.ts';
export { discardHome } from './life/discard.ts';
export { startStack, type StartRecord } from './life/start.ts';
export { stackStatus } from './life/status.ts';
export { stopStack } from './life/stop.ts';
export { SERVER_NAMES, stackLayout, type ServerName } from './layout.ts';
export { readPorts } from './ports.ts';
