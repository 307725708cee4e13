import { wardlineOn } from '../wardline.ts';
import { ledgerContract, ledgerFile, type Ledger, type LedgerFile } from './ledger.ts';
import { observe, type Observer } from './observer.ts';
import { startWardline, type RunningWardline } from './process.ts';
import type { Step } from './stops-itself.ts';
import { expectCommitsAudited, expectWhole, whenCommitted } from './verify.ts';

export interface ScenarioPlace {
  readonly home: string;
  /** Where inputs and contracts are written. */
  readonly folder: string;
  /** Another file of settings than the home's. */
  readonly config?: string;
}

/** One contract and one input, and the processes that move it. */
export interface Scenario {
  readonly ledger: Ledger;
  readonly file: LedgerFile;
  readonly observer: Observer;
  source(...flags: string[]): RunningWardline;
  /** With a step, the worker stops itself at each such step. */
  worker(stopsAt?: Step): RunningWardline;
  run(...flags: string[]): RunningWardline;
  /** Puts the whole input on the topic, with nobody storing it. */
  produce(): Promise<void>;
  /** Waits until all is committed, and fails unless everything is whole then. */
  verify(milliseconds?: number): Promise<void>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

/** Writes contract and input, provisions them, and begins to observe. Needs running servers. */
export async function scenario(place: ScenarioPlace, id: string, keys: number): Promise<Scenario> {
  const { home, folder, config } = place;
  const ledger = ledgerContract(folder, id);
  const file = ledgerFile(folder, `${id}.csv`, keys);
  await wardlineOn(home, ['contract', 'apply', ledger.contract]);
  const observer = await observe(home, ledger);
  const started: RunningWardline[] = [];
  const start = (command: string, flags: readonly string[], stopsAt?: Step): RunningWardline => {
    const settings = config === undefined ? [] : ['--config', config];
    const process = startWardline(home, [command, '--contract', ledger.contract, ...flags, ...settings], stopsAt);
    started.push(process);
    return process;
  };
  const input = ['--source', 'csv', '--path', file.path];
  return {
    ledger,
    file,
    observer,
    source: (...flags) => start('source', [...input, ...flags]),
    worker: (stopsAt) => start('worker', [], stopsAt),
    run: (...flags) => start('run', [...input, ...flags]),
    async produce() {
      const { code, stderr } = await start('source', input).ended;
      if (code !== 0) throw new Error(`the source ended with ${code ?? 'a signal'}:\n${stderr}`);
    },
    async verify(milliseconds) {
      await whenCommitted(observer, milliseconds);
      await expectCommitsAudited(observer);
      await expectWhole(home, observer, ledger, file);
    },
    async close() {
      for (const process of started.filter((candidate) => candidate.isRunning())) {
        process.signal('SIGCONT');
        await process.kill();
      }
      await observer.close();
    },
  };
}
