import { median } from '../figure.ts';
import type { SourceAnswer } from '../processes/source.ts';
import type { BenchContract } from '../rig/contracts.ts';
import { emptyTopic, produce } from '../rig/topic.ts';
import { inTurn, type Part } from './part.ts';

/** CSV → check → seal → acknowledged by Kafka, against the same contract with nothing to seal. */
export const source: Part = async (rig) => {
  const { records, rounds } = rig.options;
  const runOver = (target: BenchContract) => async (): Promise<SourceAnswer> => {
    await emptyTopic(rig, target);
    rig.report(`producing ${records} records to ${target.contract.topic.name}`);
    return produce(rig, target, { skip: 0, records });
  };
  const { sealed, clear } = await inTurn(rounds, { sealed: runOver(rig.sealed), clear: runOver(rig.clear) });
  const rateOf = (answers: readonly SourceAnswer[]): number =>
    median(answers.map((answer) => answer.records / answer.seconds));
  const fields = (sealed[0]?.sealedFields ?? 0) / records;
  return {
    measured: true,
    how: `${records} records of a CSV file, from the first read to the last acknowledgement and audit event; ${fields} fields a record sealed, or none; audit, tracing and metrics on in both`,
    figures: [
      {
        name: 'source, sealed ÷ unsealed',
        value: rateOf(sealed) / rateOf(clear),
        unit: '×',
        target: { atLeast: 0.45 },
      },
    ],
    absolutes: [
      { name: 'sealed', value: rateOf(sealed), unit: 'records/s' },
      { name: 'unsealed', value: rateOf(clear), unit: 'records/s' },
      { name: 'sealed, processor time', value: perThousand(sealed), unit: 'ms/1000 records' },
      { name: 'unsealed, processor time', value: perThousand(clear), unit: 'ms/1000 records' },
      {
        name: 'sealed, largest resident memory',
        value: Math.max(...sealed.map((answer) => answer.peakMegabytes)),
        unit: 'MB',
      },
    ],
  };
};

/** Milliseconds of all cores together. */
function perThousand(answers: readonly SourceAnswer[]): number {
  return median(answers.map((answer) => (answer.processorSeconds * 1e6) / answer.records));
}
