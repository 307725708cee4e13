import { audit } from './audit.ts';
import { backup } from './backup.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import type { PartName } from './names.ts';
import type { Part } from './part.ts';
import { recovery } from './recovery.ts';
import { seal } from './seal.ts';
import { source } from './source.ts';
import { spark } from './spark.ts';
import { trail } from './trail.ts';
import { up } from './up.ts';
import { worker } from './worker.ts';

/** What each part's name stands for. */
export const PARTS: Readonly<Record<PartName, Part>> = {
  seal,
  up,
  source,
  worker,
  trail,
  spark,
  latency,
  memory,
  audit,
  backup,
  recovery,
};
