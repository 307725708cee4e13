import type { Home } from '../../core/home.ts';

/**
 * What a home is by itself, apart from what its servers hold: authority, principals with their keys, contracts, and the
 * checkpoints that the audit log must lead to. Everything else, such as ports, a home made of these gets of its own.
 */
export const HOME_PARTS = [
  'authority',
  'principals',
  'servers',
  'inForce',
  'contracts',
  'checkpoints',
] as const satisfies readonly (keyof Home['paths'])[];
