import type { Settings } from '../../core/configuration.ts';
import type { Connection } from '../../core/connection.ts';
import type { Home } from '../../core/home.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { PRINCIPALS } from '../../security/principals/table.ts';

/** How one check ended. */
export type Result =
  | { readonly state: 'held'; readonly evidence: string }
  | { readonly state: 'failed'; readonly evidence: string }
  /** It cannot be tried from here; the evidence says why. */
  | { readonly state: 'not tried'; readonly evidence: string };

/** One thing that must fail, or must work, and is tried. */
export interface Check {
  /** Group and name: `kafka-client/no-certificate`. Stable, for whoever keeps results. */
  readonly id: string;
  /** What is tried, for people. */
  readonly title: string;
  /** What mends it where it failed. */
  readonly remedy: string;
  /** Tries it. An error that it throws is a failure, with the error as its evidence. */
  readonly attempt: () => Promise<Result>;
}

/** What is checked. */
export interface Patient {
  readonly home: Home;
  readonly settings: Settings;
  readonly connection: Connection;
  /** Every contract of which topics and tables are there. */
  readonly contracts: readonly CompiledContract[];
  /** A folder for what attempts need; removed afterwards. */
  readonly folder: string;
}

/** Checks of one kind; whatever they need is made once. */
export type CheckGroup = (patient: Patient) => Promise<readonly Check[]>;

/** The principals that try what is not their duty. Each use of break-glass is an event of its own: it is left where it is. */
export function triedPrincipals({ connection }: Patient): readonly PrincipalName[] {
  return PRINCIPAL_NAMES.filter(
    (principal) => !PRINCIPALS[principal].superUser && connection.principals[principal] !== undefined,
  );
}

export function held(evidence: string): Result {
  return { state: 'held', evidence };
}

export function failed(evidence: string): Result {
  return { state: 'failed', evidence };
}

export function notTried(evidence: string): Result {
  return { state: 'not tried', evidence };
}
