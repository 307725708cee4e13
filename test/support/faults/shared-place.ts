import { stringify } from 'yaml';
import { scratch } from '../scratch.ts';
import { withStack } from '../stack.ts';
import { FINE_WINDOWS } from './fault-stack.ts';
import type { ScenarioPlace } from './scenario.ts';

/** A place for pipelines on the servers that all share, for faults that leave the servers as they are; with fine windows. */
export function sharedPlace(): ScenarioPlace {
  const files = scratch();
  return {
    home: withStack().home.path,
    folder: files.folder,
    config: files.file('fine-windows.yaml', stringify(FINE_WINDOWS)),
  };
}
