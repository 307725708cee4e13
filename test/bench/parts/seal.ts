import { resolve } from 'node:path';
import { median } from '../figure.ts';
import { isInstalled } from '../peers/install.ts';
import type { SealAnswer, SealWork } from '../processes/seal.ts';
import { ONE_CORE, startChild, watch } from '../rig/child.ts';
import { SIX_SEALED, variantOf } from '../rig/contracts.ts';
import { inTurn, type Part } from './part.ts';

const PEER = resolve(import.meta.dirname, '../peers/confluent/encrypt.ts');
const RECORDS = 5000;
const SECONDS = 4;

/** Sealing six fields of a record on one thread, against the field encryption of a well-known client library. */
export const seal: Part = async (rig) => {
  if (!isInstalled('confluent')) return { measured: false, reason: 'its peer is not installed: add --install-peers' };
  const { path } = variantOf(rig.folder, SIX_SEALED);
  const work: SealWork = { contract: path, records: RECORDS, seconds: SECONDS };
  const [onOneCore, ...flags] = ONE_CORE;
  rig.report('sealing six fields a record, ours and the peer in turn');
  const { ours, peer } = await inTurn(rig.options.rounds, {
    ours: async () =>
      (await startChild<SealAnswer>('seal', { ...work }, rig.options.profile, ONE_CORE).finished).result,
    peer: async () =>
      (await watch<SealAnswer>(onOneCore, [...flags, process.execPath, PEER, JSON.stringify(work)]).finished).result,
  });
  const rateOf = (answers: readonly SealAnswer[]): number => median(answers.map((answer) => answer.fieldsPerSecond));
  return {
    measured: true,
    how:
      `one thread${flags.length > 0 ? ' (each side held to one core)' : ''}, records of a key and six sensitive fields, from values to the bytes of a message; ours makes padded JWEs bound to their place; ` +
      'the peer is the JSON serializer of @confluentinc/schemaregistry with ENCRYPT rules and its local KMS, one or 32 records at once, whichever is faster',
    figures: [
      {
        name: 'fields sealed, ours ÷ @confluentinc/schemaregistry',
        value: rateOf(ours) / rateOf(peer),
        unit: '×',
        target: { atLeast: 8 },
      },
    ],
    absolutes: [
      { name: 'ours', value: rateOf(ours), unit: 'fields/s' },
      { name: '@confluentinc/schemaregistry', value: rateOf(peer), unit: 'fields/s' },
    ],
  };
};
