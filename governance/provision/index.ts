export type { Change } from './plan.ts';
export { applyProvision, planProvision } from './provision.ts';
