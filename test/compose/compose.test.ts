import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Compose, docker, type Inspected } from './docker.ts';
import { moreThan, storedRows } from './flow.ts';

const PATIENCE = 120_000;
const ONCE = ['init', 'kafka-format', 'provision', 'apply'];
const TABLE = 'iot_data.weather_condition_and_household_energy_consumption';
/** Not the one of docker-compose.yml, which may be in use. */
const TRACES_PORT = 26_686;
const compose = new Compose('wardline-test', ['docker-compose.yml'], {
  COMPOSE_PROFILES: 'telemetry',
  WARDLINE_TRACES_PORT: String(TRACES_PORT),
});
const services = Object.keys(
  (parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as { services: object }).services,
);

let seconds: number;
let containers: ReadonlyMap<string, Inspected>;

beforeAll(async () => {
  await compose.run('down', '--volumes', '--timeout', '5');
  const started = performance.now();
  await compose.must('up', '--detach', '--no-build');
  await compose.healthy();
  seconds = (performance.now() - started) / 1000;
  console.log(`from images to healthy: ${seconds.toFixed(1)} s`);
  containers = await compose.inspect();
});
afterAll(async () => {
  if (process.env['KEEP'] === undefined) await compose.run('down', '--volumes', '--timeout', '10');
});

/** How many workers stored something within the last seconds, once they are that many. */
async function storingHosts(wanted: number): Promise<number> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const events = await compose.json('audit', 'query', '--action', 'stage.store', '--since', '10s', '--limit', '1000');
    const hosts = new Set(events.map((each) => (each['event'] as { actor: { host: string } }).actor.host));
    if (hosts.size >= wanted || Date.now() > deadline) return hosts.size;
    await sleep(1000);
  }
}

async function getJson(url: string, ca: string): Promise<unknown> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => get(url, { ca }, resolve).on('error', reject));
  return json(answer);
}

describe('docker compose up', () => {
  it('has every service of the file, healthy, or done', async () => {
    expect([...containers.keys()].sort()).toEqual([...services].sort());
    for (const [name, { State }] of containers) expect([name, State.Running]).toEqual([name, !ONCE.includes(name)]);
    await expect(moreThan(compose, 0)).resolves.toBeGreaterThan(0);
  });

  it.each(services)('%s is hardened', (name) => {
    const found = containers.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    const { Config, HostConfig, Mounts } = found;
    expect(Config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'] });
    expect(HostConfig.CapAdd ?? []).toEqual([]);
    expect(HostConfig.SecurityOpt).toEqual(['no-new-privileges:true']);
    for (const limit of [HostConfig.PidsLimit ?? 0, HostConfig.Memory, HostConfig.NanoCpus])
      expect(limit).toBeGreaterThan(0);
    expect(HostConfig.NetworkMode).not.toBe('host');
    expect([HostConfig.PidMode, HostConfig.IpcMode]).not.toContain('host');
    expect(Mounts.filter(({ Source }) => Source.endsWith('docker.sock'))).toEqual([]);
    const published = Object.values(HostConfig.PortBindings ?? {}).flat();
    expect(published.map(({ HostIp }) => HostIp)).toEqual(name === 'jaeger' ? ['127.0.0.1'] : []);
    expect(HostConfig.LogConfig).toMatchObject({ Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } });
    if (ONCE.includes(name)) expect(HostConfig.RestartPolicy.Name).toBe('no');
    else {
      expect(HostConfig.RestartPolicy).toEqual({ Name: 'on-failure', MaximumRetryCount: 10 });
      expect(Config.Healthcheck?.Test.length).toBeGreaterThan(1);
    }
  });

  it('gives each principal its own keys, which it cannot write', () => {
    for (const name of [
      'source',
      'worker',
      'notary',
      'recorder',
      'archiver',
      'kafka',
      'cassandra',
      'provision',
      'apply',
      'collector',
      'jaeger',
    ])
      expect([name, containers.get(name)?.Mounts.find((one) => one.Destination === '/wardline')?.RW]).toEqual([
        name,
        false,
      ]);
  });

  it('lets nobody in: the doctor finds nothing wrong, and sees its own container hardened', async () => {
    const [report] = await compose.json('doctor');
    const checks = report?.['checks'] as readonly { id: string; state: string }[];
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([]);
    const ofContainer = checks.filter(({ id }) => id.startsWith('container/') || id.startsWith('jmx/'));
    expect(ofContainer.length).toBeGreaterThan(9);
    expect(ofContainer.filter(({ state }) => state !== 'held')).toEqual([]);
  });

  it('leaves no secret in what Docker shows, nor in an image', async () => {
    const find = 'find /wardline/principals /wardline/servers -name "*password*" -o -name "*.passphrase"';
    const text = await compose.must(
      'exec',
      '-T',
      'console',
      'sh',
      '-c',
      `for f in $(${find}); do cat "$f"; echo; done`,
    );
    const secrets = [...new Set(text.split('\n').filter((line) => line.length > 20))];
    expect(secrets.length).toBeGreaterThan(15);
    const names = [...containers.values()].map(({ Name }) => Name.slice(1));
    const shown = [
      (await docker(['inspect', ...names])).stdout,
      await compose.must('logs', '--no-color'),
      await compose.must('top'),
      ...(await Promise.all(
        ['WARDLINE_IMAGE', 'WARDLINE_NODE_IMAGE'].map(async (name) => {
          const image = process.env[name] ?? '';
          return (await docker(['history', '--no-trunc', image])).stdout + (await docker(['inspect', image])).stdout;
        }),
      )),
    ];
    for (const each of shown) expect(each.length).toBeGreaterThan(100);
    expect(secrets.filter((secret) => shown.some((each) => each.includes(secret)))).toEqual([]);
    expect(shown.filter((each) => each.includes('PRIVATE KEY') || each.includes('AGE-SECRET-KEY'))).toEqual([]);
  });

  it('is audited from its first start, and the log is whole', async () => {
    const events = (await compose.json('audit', 'query', '--since', '30m', '--limit', '10000')).map(
      (each) => each['event'] as { action: string; actor: { principal: string } },
    );
    const acts = new Set(events.map(({ action, actor }) => `${actor.principal} ${action}`));
    for (const act of [
      'break-glass principals.provision',
      'operator contract.apply',
      'source stage.seal',
      'worker stage.store',
    ])
      expect([...acts]).toContain(act);
    const { code, stdout } = await compose.wardline('audit', 'verify');
    expect([code, stdout]).toEqual([0, expect.stringContaining('The audit log is whole')]);
  });

  it('shows the way of records through source and worker as traces, and measures it', async () => {
    const ca = await compose.must('exec', '-T', 'console', 'cat', '/wardline/authority/trust.crt');
    const crossing = async (): Promise<boolean> => {
      const { data } = (await getJson(
        `https://localhost:${TRACES_PORT}/api/traces?service=wardline-source&limit=20`,
        ca,
      )) as {
        data: readonly { readonly processes: Readonly<Record<string, { readonly serviceName: string }>> }[];
      };
      const services = data.map(({ processes }) => Object.values(processes).map(({ serviceName }) => serviceName));
      return services.some((names) => names.includes('wardline-source') && names.includes('wardline-worker'));
    };
    for (const deadline = Date.now() + PATIENCE; !(await crossing()) && Date.now() < deadline;) await sleep(1000);
    await expect(crossing()).resolves.toBe(true);
    const metrics = (key: string) => `
      const { readFileSync } = require('node:fs');
      const of = (path) => readFileSync('/wardline/' + path);
      const tls = { ca: of('authority/trust.crt')${key} };
      require('node:https').get('https://collector:8889/metrics', tls, (answer) => answer.pipe(process.stdout));
    `;
    const own = `, cert: of('principals/worker/tls.crt'), key: of('principals/worker/tls.key')`;
    expect(await compose.must('exec', '-T', 'worker', 'node', '--eval', metrics(own))).toContain(
      'wardline_stage_records_total',
    );
    const stranger = await compose.run('exec', '-T', 'worker', 'node', '--eval', metrics(''));
    expect([stranger.code === 0, stranger.stdout]).toEqual([false, '']);
  });

  it('spreads partitions over more workers', async () => {
    await compose.must('up', '--detach', '--no-build', '--no-recreate', '--scale', 'worker=3', 'worker');
    await compose.healthy();
    await expect(storingHosts(3)).resolves.toBe(3);
    await compose.must('up', '--detach', '--no-build', '--no-recreate', '--scale', 'worker=1', 'worker');
  });

  it('goes on after each of its servers and processes crashed', async () => {
    for (const service of ['worker', 'notary', 'recorder', 'archiver', 'source', 'kafka', 'cassandra']) {
      await compose.crash(service);
      await sleep(1000);
      await compose.healthy();
    }
    await expect(moreThan(compose, await storedRows(compose))).resolves.toBeGreaterThan(0);
    expect((await compose.wardline('audit', 'verify')).code).toBe(0);
  });

  it('changes to new certificates, and to a new authority, with the commands of the operations guide', async () => {
    const serials = (): Promise<string> =>
      compose.must('exec', '-T', 'source', 'sh', '-c', 'cat /wardline/principals/source/tls.crt');
    const handOut = async (): Promise<void> => {
      await compose.must('stop', 'kafka', 'cassandra');
      await compose.must('up', '--no-build', '--no-deps', '--force-recreate', 'init');
      await compose.must('start', 'kafka', 'cassandra');
      await compose.healthy();
    };
    const before = await serials();
    expect((await compose.wardline('certs', 'rotate', '--authority')).code).toBe(0);
    await handOut();
    expect(await serials()).not.toBe(before);
    expect((await compose.wardline('certs', 'rotate', '--finish')).code).toBe(0);
    await handOut();
    await expect(moreThan(compose, await storedRows(compose))).resolves.toBeGreaterThan(0);
    const [report] = await compose.json('doctor');
    const checks = report?.['checks'] as readonly { id: string; state: string }[];
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([]);
  });

  it('backs up, and restores what was lost, with the commands of the README', async () => {
    await compose.must('stop', 'source', 'worker');
    const [made] = await compose.json('backup', 'create');
    expect(String(made?.['id'])).toMatch(/^\d{8}T/);
    expect((await compose.wardline('backup', 'verify', 'latest', '--read-data')).code).toBe(0);
    const [restored] = await compose.json('--yes', 'restore', 'latest', '--table', TABLE, '--replace');
    expect(restored).toMatchObject({ auditFindings: [] });
    const [table] = restored?.['tables'] as readonly { backedUp: { rows: number }; live: { rows: number } }[];
    expect(table?.live.rows).toBeGreaterThan(0);
    expect(table?.live.rows).toBe(table?.backedUp.rows);
  });
});
