import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { sleep } from '../../../core/clock.ts';
import { goTool } from './go-tool.ts';

const START_MILLISECONDS = 20_000;
const REGION = 'us-east-1';

/** A real S3 server on loopback, over a folder of its own. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  /** Where the AWS SDK's default chain finds them, once they are in a process's environment. */
  readonly credentials: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** Each bucket is a folder in it, each object a file. */
  readonly folder: string;
  client(): S3Client;
  start(): Promise<void>;
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Ends it and removes everything. */
  remove(): Promise<void>;
}

/** Starts versitygw with random credentials on a port of its own, which it keeps when it is started again. */
export async function startS3Server(folder = mkdtempSync(join(tmpdir(), 'wardline-s3-'))): Promise<S3Server> {
  const program = await goTool('versitygw');
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const [key, secret] = [randomBytes(10).toString('hex').toUpperCase(), randomBytes(20).toString('hex')];
  const [objects, versions] = [join(folder, 'objects'), join(folder, 'versions')];
  for (const path of [objects, versions]) mkdirSync(path, { recursive: true });
  let running: ChildProcess | undefined;

  const server: S3Server = {
    endpoint,
    region: REGION,
    credentials: { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret },
    folder: objects,
    client: () =>
      new S3Client({
        ...{ endpoint, region: REGION, forcePathStyle: true },
        credentials: { accessKeyId: key, secretAccessKey: secret },
      }),
    async start() {
      running = spawn(program, ['posix', '--versioning-dir', versions, objects], {
        env: {
          ...process.env,
          ...{ ROOT_ACCESS_KEY_ID: key, ROOT_SECRET_ACCESS_KEY: secret },
          ...{ VGW_PORT: `127.0.0.1:${port}`, VGW_REGION: REGION, VGW_QUIET: 'true' },
        },
        stdio: 'ignore',
      });
      await answering(endpoint, running);
    },
    async kill() {
      if (running?.exitCode !== null || running.signalCode !== null) return;
      const ended = once(running, 'exit');
      running.kill('SIGKILL');
      await ended;
    },
    async remove() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function answering(endpoint: string, server: ChildProcess): Promise<void> {
  const end = Date.now() + START_MILLISECONDS;
  while (Date.now() < end && server.exitCode === null) {
    // Any answer will do: without credentials it is a refusal.
    if (
      await fetch(endpoint).then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error(`the S3 server does not answer at ${endpoint}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
