import { EVENTS_PER_BLOCK, EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import type { EventColumns } from '../store/columns.ts';
import type { StoredSummary } from '../store/summaries.ts';
import { MARK_BYTES, MARKED, markOf, type Marked } from '../store/summary.ts';

/** Events of which a summary does not say what they do: who looks for them may not find them. */
export interface SummaryFault {
  readonly from: number;
  readonly to: number;
  readonly detail: string;
}

/** The marks of a block's events, computed from the events themselves, to hold the summaries against. */
export class BlockMarks {
  readonly #start: number;
  readonly #marks = Object.fromEntries(
    MARKED.map((name) => [name, Buffer.alloc(EVENTS_PER_BLOCK * MARK_BYTES)]),
  ) as Record<Marked, Buffer>;
  readonly #times = new Float64Array(EVENTS_PER_BLOCK).fill(NaN);

  /** Of the block that begins at this sequence. */
  constructor(start: number) {
    this.#start = start;
  }

  /** Takes what the event at this index of the block says. */
  set(index: number, columns: EventColumns): void {
    for (const name of MARKED) this.#marks[name].writeUInt32BE(markOf(columns[name]), index * MARK_BYTES);
    this.#times[index] = columns.time ?? NaN;
  }

  /** Where summaries say otherwise of the events that are `held`, one byte an event; neighbours are one fault. */
  faults(held: Uint8Array, summaries: readonly StoredSummary[]): SummaryFault[] {
    const kept = new Map(summaries.map((summary) => [summary.first, summary]));
    const faults: SummaryFault[] = [];
    for (let first = 0; first < EVENTS_PER_BLOCK; first += EVENTS_PER_SUMMARY) {
      const summary = kept.get(this.#start + first);
      if (summary !== undefined && this.#isRight(first, summary)) continue;
      for (let index = first; index < first + EVENTS_PER_SUMMARY; index += 1) {
        const wrong = held[index] === 1 ? this.#wrong(index, index - first, summary) : '';
        if (wrong !== '') addTo(faults, this.#start + index, wrong);
      }
    }
    return faults;
  }

  /** Whether a full summary is right as a whole, which most are. */
  #isRight(first: number, { marks, earliest, latest }: StoredSummary): boolean {
    const [from, to] = [first * MARK_BYTES, (first + EVENTS_PER_SUMMARY) * MARK_BYTES];
    return (
      MARKED.every((name) => marks.get(name)?.equals(this.#marks[name].subarray(from, to)) === true) &&
      this.#times.subarray(first, first + EVENTS_PER_SUMMARY).every((time) => isWithin(time, earliest, latest))
    );
  }

  /** What of one event a summary does not say; empty where all is right. */
  #wrong(index: number, at: number, summary: StoredSummary | undefined): string {
    if (summary === undefined) return 'no summary tells of it';
    const differs = MARKED.filter((name) => {
      const bytes = summary.marks.get(name);
      const mark = this.#marks[name].readUInt32BE(index * MARK_BYTES);
      return (
        bytes === undefined || bytes.length < (at + 1) * MARK_BYTES || bytes.readUInt32BE(at * MARK_BYTES) !== mark
      );
    });
    const inTime = isWithin(this.#times[index] ?? NaN, summary.earliest, summary.latest);
    const names = [...differs, ...(inTime ? [] : ['time'])];
    return names.length === 0 ? '' : `its summary says otherwise: ${names.join(', ')}`;
  }
}

/** An event that says no time is not looked for by time. */
function isWithin(time: number, earliest: number | null, latest: number | null): boolean {
  return Number.isNaN(time) || (earliest !== null && latest !== null && earliest <= time && time <= latest);
}

function addTo(faults: SummaryFault[], sequence: number, detail: string): void {
  const last = faults.at(-1);
  if (last?.to === sequence - 1 && last.detail === detail) faults[faults.length - 1] = { ...last, to: sequence };
  else faults.push({ from: sequence, to: sequence, detail });
}
