import { join } from 'node:path';
import { z } from 'zod';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { SpoolPlace } from '../spool/spool.ts';
import type { LogPosition } from './log-follower.ts';
import type { ServerLogName } from './server-logs.ts';

const FILE_NAME = 'positions.json';

const logPositionSchema = z.strictObject({
  generation: z.string().min(1),
  offset: z.int().min(0),
  finished: z.array(z.string()),
});
const spoolPositionSchema = z.strictObject({
  sequence: z.int().min(-1),
  hash: z.string(),
  broken: z.int().min(0).exactOptional(),
});
const positionsSchema = z.strictObject({
  logs: z.record(z.string(), logPositionSchema),
  spool: spoolPositionSchema.exactOptional(),
});

/** The last entry of the spool that is on the topic, and the entry behind it that is known to be broken. */
export interface SpoolPosition extends SpoolPlace {
  readonly broken?: number;
}

/** How far the recorder has come. A position is saved only once every event before it is acknowledged. */
export interface RecorderPositions {
  log(name: ServerLogName): LogPosition | undefined;
  spool(): SpoolPosition | undefined;
  /** Durable when it returns. */
  saveLog(name: ServerLogName, position: LogPosition): void;
  saveSpool(position: SpoolPosition): void;
}

/**
 * The positions of a home's recorder: one file of mode 0600, replaced as a whole. Throws HOME_FORMAT where it is damaged:
 * to begin anew is harmless (lines and entries that are there are sent again as the same events), but is decided by whoever
 * removes the file.
 */
export function openPositions(folder: string): RecorderPositions {
  const path = join(folder, FILE_NAME);
  let { logs, spool } = readPositions(path);
  const save = (): void => {
    makeSecretFolder(folder);
    writeFileAtomic(path, `${JSON.stringify(spool === undefined ? { logs } : { logs, spool }, null, 2)}\n`);
  };
  return {
    log: (name) => logs[name],
    spool: () => spool,
    saveLog(name, position) {
      logs = { ...logs, [name]: { ...position, finished: [...position.finished] } };
      save();
    },
    saveSpool(position) {
      spool = { ...position };
      save();
    },
  };
}

function readPositions(path: string): z.infer<typeof positionsSchema> {
  const text = readIfPresent(path);
  if (text === undefined) return { logs: {} };
  try {
    return positionsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new WardlineError('HOME_FORMAT', `${path} is damaged: ${asWardlineError(cause).message}`, {
      hint: 'remove it: the recorder then reads the logs and the spool again from their beginning',
      cause,
    });
  }
}
