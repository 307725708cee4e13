import { sleep } from '../../../core/clock.ts';
import { stackStatus } from '../../../stack/index.ts';
import type { Part } from './part.ts';

/** Long enough for the servers' start-up work to be over. */
const IDLE_MILLISECONDS = 20_000;
const BYTES_IN_GIB = 1024 ** 3;

/** From an empty home to usable servers, and what they hold in memory when nobody uses them. */
export const up: Part = async (rig) => {
  const { home, upSeconds } = await rig.servers();
  rig.report('letting the servers idle');
  await sleep(IDLE_MILLISECONDS);
  const { supervisor, servers, daemons } = stackStatus(home);
  const processes = [{ name: 'supervisor', ...supervisor }, ...servers, ...daemons];
  const memory = processes.map(({ name, memoryBytes }) => ({
    name,
    value: (memoryBytes ?? NaN) / BYTES_IN_GIB,
    unit: 'GiB',
  }));
  return {
    measured: true,
    how:
      'wall clock of `wardline up` on an empty home (certificates, keys, both servers, principals, rights), jars present; ' +
      `resident memory of supervisor, Kafka, Cassandra and the notary ${IDLE_MILLISECONDS / 1000} s later`,
    figures: [
      { name: '`wardline up` from an empty home', value: upSeconds, unit: 's', target: { atMost: 20 } },
      {
        name: 'idle memory of the whole',
        value: memory.reduce((sum, { value }) => sum + value, 0),
        unit: 'GiB',
        target: { atMost: 2.5 },
      },
    ],
    absolutes: memory.map(({ name, value, unit }) => ({ name: `memory of the ${name}`, value, unit })),
  };
};
