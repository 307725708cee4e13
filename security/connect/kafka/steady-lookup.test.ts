import type { LookupAddress } from 'node:dns';
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { steadyLookup } from './steady-lookup.ts';

const LOOPBACK: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];

/** A system that answers when it is told to. */
function system() {
  const questions: { answer: (addresses: LookupAddress[]) => void; fail: (error: Error) => void }[] = [];
  const ask = (): Promise<LookupAddress[]> =>
    new Promise((answer, fail) => {
      questions.push({ answer, fail });
    });
  return { questions, ask };
}

function found(lookup: ReturnType<typeof steadyLookup>, host: string): Promise<unknown> {
  return new Promise((resolve) => lookup(host, { all: true }, (error, addresses) => resolve(error ?? addresses)));
}

it('asks for a name once at a time, whoever waits for it', async () => {
  const { questions, ask } = system();
  const lookup = steadyLookup(ask);
  const answers = [found(lookup, 'kafka-2'), found(lookup, 'kafka-2'), found(lookup, 'kafka-3')];
  expect(questions.length).toBe(2);
  for (const { answer } of questions) answer(LOOPBACK);
  expect(await Promise.all(answers)).toEqual([LOOPBACK, LOOPBACK, LOOPBACK]);
  void found(lookup, 'kafka-2');
  expect(questions.length).toBe(3);
});

it('takes the last address where the system is slow, and where it fails', async () => {
  const { questions, ask } = system();
  const lookup = steadyLookup(ask);
  const first = found(lookup, 'kafka-2');
  questions[0]?.answer(LOOPBACK);
  await first;
  expect(await found(lookup, 'kafka-2')).toEqual(LOOPBACK);
  const again = found(lookup, 'kafka-2');
  expect(questions.length).toBe(2);
  questions[1]?.fail(new Error('EAI_AGAIN'));
  expect(await again).toEqual(LOOPBACK);
});

it('takes a new address as soon as there is one', async () => {
  const { questions, ask } = system();
  const lookup = steadyLookup(ask);
  const first = found(lookup, 'kafka-2');
  questions[0]?.answer([{ address: '192.0.2.1', family: 4 }]);
  await first;
  const second = found(lookup, 'kafka-2');
  questions[1]?.answer(LOOPBACK);
  expect(await second).toEqual(LOOPBACK);
});

it('fails as the system does where nothing is known, and asks again', async () => {
  const { questions, ask } = system();
  const lookup = steadyLookup(ask);
  const first = found(lookup, 'kafka-2');
  questions[0]?.fail(new Error('EAI_AGAIN'));
  expect(await first).toEqual(new Error('EAI_AGAIN'));
  void found(lookup, 'kafka-2');
  expect(questions.length).toBe(2);
});

it('is what a connection can look names up with', async () => {
  const server = createServer((socket) => socket.end()).listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const autoSelectFamily of [true, false]) {
    const socket = connect({ host: 'localhost', port, lookup: steadyLookup(), autoSelectFamily });
    await once(socket, 'connect');
    socket.destroy();
  }
  server.close();
});
