import { randomBytes } from 'node:crypto';
import type { CheckOutcome } from '../../../governance/contract/compiled.ts';
import { loadContract } from '../../../governance/contract/index.ts';
import { compileMessageWriter, type Seal } from '../../../pipeline/seal/message.ts';
import { sealerFactory } from '../../../security/sealed-field/seal.ts';
import { testDataKey } from '../../support/data-key.ts';
import { RECORD_FIELDS, records } from '../rig/records.ts';
import { answer, configuration } from './environment.ts';

/** What a sealing process is told; the peer's is told the same. */
export interface SealWork {
  readonly contract: string;
  readonly records: number;
  readonly seconds: number;
}

export interface SealAnswer {
  readonly fieldsPerSecond: number;
  readonly bytesPerRecord: number;
}

/** Seals for a while on one thread: from a checked record to the bytes of its message, sensitive fields sealed. */
const work = configuration() as SealWork;
const contract = loadContract(work.contract);
const write = compileMessageWriter(contract);
const sealer = sealerFactory(randomBytes)(testDataKey());
const positions = contract.sourceFields.map((field) => RECORD_FIELDS.indexOf(field));
const checked: Extract<CheckOutcome, { ok: true }>[] = [];
for await (const batch of records(work.records)) {
  for (const cells of batch) {
    const outcome = contract.check({ values: positions.map((position) => cells[position]), position: 0 });
    if (outcome.ok) checked.push(outcome);
  }
}

const sealFor = (): Seal => seal;
const seal: Seal = (context, json) => sealer.seal(context, json);
const sealAll = (): { fields: number; bytes: number } => {
  let fields = 0;
  let bytes = 0;
  for (const { values, key } of checked) {
    const { json, sealedFields } = write(values, key, sealFor);
    bytes += Buffer.from(json).length;
    fields += sealedFields;
  }
  return { fields, bytes };
};

sealAll();
const began = performance.now();
let fields = 0;
let bytes = 0;
let rounds = 0;
while (performance.now() - began < work.seconds * 1000) {
  const round = sealAll();
  fields += round.fields;
  bytes += round.bytes;
  rounds += 1;
}
const seconds = (performance.now() - began) / 1000;
answer({ fieldsPerSecond: fields / seconds, bytesPerRecord: bytes / (rounds * checked.length) } satisfies SealAnswer);
