export type { CompiledContract } from './compiled.ts';
export { tableDdl } from './ddl.ts';
export { findContract, SHIPPED_CONTRACTS } from './find.ts';
export { inspectContract, loadContract, parseContract } from './load.ts';
