import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { SensitiveClass } from '../../core/classification.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { loadContract } from '../../governance/contract/index.ts';
import { isWiped } from '../../security/keyring/data-key.ts';
import { createMac } from '../../security/sealed-field/record.ts';
import { sealerFactory, type Sealer } from '../../security/sealed-field/seal.ts';
import { checkBatch, keyNeeds, sealBatch, type CheckedBatch, type KeyLookup } from './batch.ts';
import { compileMessageWriter } from './message.ts';
import type { FromSealThread, KeyNeed, SealThreadData, ThreadKey, ToSealThread } from './protocol.ts';

/** A seal thread: checks and seals one batch at a time. It uses data keys only for as long as the main thread allowed. */
const port = parentPort;
if (port === null) throw new Error('pipeline/seal/thread.ts runs as a worker thread only');

const { contractPath, integrityKey } = workerData as SealThreadData;
const contract = loadContract(contractPath);
const tools = { write: compileMessageWriter(contract), mac: createMac(integrityKey, contract.id, contract.version) };
const sealerFor = sealerFactory(randomBytes);

interface HeldKey {
  /** Undefined where the subject's key is destroyed. */
  readonly sealer: Sealer | undefined;
  readonly validUntil: number;
}

interface Batch {
  readonly checked: CheckedBatch;
  readonly firstTimestamp: number;
}

/** Bound on held keys, above what the largest batch can need; beyond it the oldest are let go, and asked for again when needed. */
const HELD_KEYS_LIMIT = 50_000;
/** How often keys that may no longer be used are let go, in milliseconds. */
const SWEEP_INTERVAL = 1000;

const held = new Map<string, HeldKey>();
const waiting = new Map<number, Batch>();

const nameOf = (subject: string, classification: SensitiveClass): string => `${classification}:${subject}`;

const keyFor: KeyLookup = (subject, classification) => {
  const key = held.get(nameOf(subject, classification));
  // Never taken for a destroyed key: that would turn a fault of ours into a dead letter.
  if (key === undefined) throw new Error('a data key that was asked for is not held');
  return key.sealer;
};

function send(message: FromSealThread, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** Undefined where the key may be used now. */
function needOf(need: KeyNeed): KeyNeed | undefined {
  const key = held.get(nameOf(need.subject, need.classification));
  if (key === undefined || key.validUntil <= Date.now() || key.sealer?.wiped === true) return need;
  // A batch may need as many seals as it has fields; the margin keeps it from running dry half-way.
  if (key.sealer !== undefined && key.sealer.sealsLeft < SEALS_MARGIN) return { ...need, exhausted: key.sealer.kid };
  return undefined;
}

const SEALS_MARGIN = 1_000_000;

function sealOrAsk(id: number, batch: Batch): void {
  const needs = keyNeeds(contract, batch.checked)
    .map(needOf)
    .filter((need) => need !== undefined);
  if (needs.length > 0) {
    waiting.set(id, batch);
    send({ type: 'needs-keys', id, needs });
    return;
  }
  try {
    const sealed = sealBatch(contract, batch.checked, batch.firstTimestamp, { ...tools, keyFor });
    send({ type: 'sealed', id, batch: sealed }, [sealed.bytes]);
  } catch (error) {
    // A key was wiped while the batch was being sealed: whether it is destroyed or only let go, the main thread knows.
    if (asWardlineError(error).code !== 'KEY_DESTROYED') throw error;
    sealOrAsk(id, batch);
  }
}

function hold({ subject, classification, dataKey, validUntil }: ThreadKey): void {
  const name = nameOf(subject, classification);
  const known = held.get(name)?.sealer;
  held.delete(name);
  const oldest = held.keys().next().value;
  if (held.size >= HELD_KEYS_LIMIT && oldest !== undefined) held.delete(oldest);
  const same = known !== undefined && !known.wiped && known.kid === dataKey?.kid;
  // A Buffer arrives from another thread as a plain view of the same memory.
  const given = dataKey === undefined ? undefined : { ...dataKey, key: Buffer.from(dataKey.key.buffer) };
  // Wiped on its way here, because the others of its batch took long to make: it is asked for again.
  if (given !== undefined && !same && isWiped(given)) return;
  held.set(name, { sealer: given === undefined ? undefined : same ? known : sealerFor(given), validUntil });
}

port.on('message', (message: ToSealThread) => {
  try {
    if (message.type === 'batch') {
      sealOrAsk(message.id, {
        checked: checkBatch(contract, message.values, message.positions),
        firstTimestamp: message.firstTimestamp,
      });
      return;
    }
    for (const key of message.keys) hold(key);
    const batch = waiting.get(message.id);
    waiting.delete(message.id);
    if (batch !== undefined) sealOrAsk(message.id, batch);
  } catch (error) {
    send({ type: 'failed', id: message.id, message: error instanceof Error ? error.message : String(error) });
  }
});

setInterval(() => {
  const now = Date.now();
  for (const [name, key] of held) if (key.validUntil <= now) held.delete(name);
}, SWEEP_INTERVAL).unref();

send({ type: 'ready' });
