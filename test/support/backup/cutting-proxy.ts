import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

/** Passes connections on to a port of this machine, and breaks some off in the middle of an answer. */
export interface CuttingProxy {
  readonly port: number;
  /** After how many bytes of answers the next connections break off, one after another. */
  readonly cuts: number[];
  close(): Promise<void>;
}

export async function startCuttingProxy(target: number): Promise<CuttingProxy> {
  const cuts: number[] = [];
  const server = createServer((inner) => {
    const outer = connect(target, '127.0.0.1');
    let passed = 0;
    for (const socket of [inner, outer]) socket.on('error', () => undefined);
    inner.pipe(outer);
    outer.on('data', (bytes) => {
      const cut = cuts[0];
      passed += bytes.length;
      if (cut === undefined || passed < cut) {
        if (!inner.write(bytes)) outer.pause();
        return;
      }
      cuts.shift();
      inner.write(bytes.subarray(0, bytes.length - (passed - cut)), () => inner.resetAndDestroy());
      outer.destroy();
    });
    inner.on('drain', () => outer.resume());
    outer.on('close', () => inner.end());
    inner.on('close', () => outer.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cuts,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
