import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Fingerprint, Source } from './source.ts';

/** How far a source was acknowledged, and the last write timestamp that was given (microseconds since the epoch). */
interface SourcePosition {
  readonly position: number;
  readonly writeTimestamp: number;
}

/** The position of one source under one contract, kept over crashes. */
export interface Positions {
  /** Where to go on: position 0 where nothing is kept. */
  load(): SourcePosition;
  /** MUST be called only with what is acknowledged and audited. Durable when it returns. */
  save(position: SourcePosition): void;
  /** The source ended and all of it is acknowledged: the next run starts anew, with write timestamps above those given. */
  clear(): void;
}

const fileSchema = z.strictObject({
  source: z.string(),
  position: z.int().min(0),
  writeTimestamp: z.int().min(0),
  fingerprint: z.strictObject({ sizeBytes: z.int(), headBytes: z.int(), headSha256: z.string() }).optional(),
});

type Kept = z.infer<typeof fileSchema>;

const NOTHING: SourcePosition = { position: 0, writeTimestamp: 0 };

/**
 * Opens the position of `source` under the contract `contractId` in `folder`. A file that is read counts as the same while its
 * beginning is the same and it did not become shorter: it may grow.
 * Throws SOURCE_CHANGED where the file is not the one that the position was kept of.
 */
export async function openPositions(folder: string, contractId: string, source: Source): Promise<Positions> {
  const path = join(folder, `${nameOf(contractId, source)}.json`);
  const kept = read(path);
  const fingerprint = await source.fingerprint();
  if (kept !== undefined && kept.position > 0) await holdTogether(kept, fingerprint, source, path);

  const write = ({ position, writeTimestamp }: SourcePosition): void => {
    const content: Kept = { source: source.name, position, writeTimestamp, ...(fingerprint && { fingerprint }) };
    makeSecretFolder(folder);
    writeFileAtomic(path, `${JSON.stringify(content)}\n`);
  };
  let last: SourcePosition = kept ?? NOTHING;
  return {
    load: () => ({ position: last.position, writeTimestamp: last.writeTimestamp }),
    save(position) {
      last = position;
      write(position);
    },
    clear() {
      last = { position: 0, writeTimestamp: last.writeTimestamp };
      write(last);
    },
  };
}

/** A hash, because `--set` values stand in the identity and may say whom the records are about. */
function nameOf(contractId: string, source: Source): string {
  const identity = canonicalJson({ contract: contractId, source: source.identity });
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}

function read(path: string): Kept | undefined {
  const text = readIfPresent(path);
  if (text === undefined) return undefined;
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new WardlineError('SOURCE_CHANGED', `the position kept in ${path} is damaged`, {
      hint: `to read the source from its beginning, remove ${path}`,
      cause,
    });
  }
}

async function holdTogether(kept: Kept, now: Fingerprint | undefined, source: Source, path: string): Promise<void> {
  const then = kept.fingerprint;
  if (then === undefined || now === undefined) return;
  const sameHead = (await source.fingerprint(then.headBytes))?.headSha256 === then.headSha256;
  if (sameHead && now.sizeBytes >= then.sizeBytes) return;
  throw new WardlineError(
    'SOURCE_CHANGED',
    `${source.name} is no longer the file of which ${kept.position} records were acknowledged: its beginning differs, or it is shorter`,
    { hint: `bring the file back, or remove ${path} to read the new one from its beginning` },
  );
}
