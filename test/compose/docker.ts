import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const OUTPUT_BYTES = 512 * 1024 * 1024;
const PATIENCE = 240_000;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `docker inspect` says of a container, as far as tests ask. */
export interface Inspected {
  readonly Name: string;
  readonly State: { readonly Pid: number; readonly Running: boolean; readonly Health?: { readonly Status: string } };
  readonly RestartCount: number;
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string; readonly RW: boolean }[];
  readonly Config: {
    readonly Image: string;
    readonly User: string;
    readonly Env: readonly string[];
    readonly Healthcheck?: { readonly Test: readonly string[] };
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly PidsLimit: number | null;
    readonly Memory: number;
    readonly NanoCpus: number;
    readonly NetworkMode: string;
    readonly PidMode: string;
    readonly IpcMode: string;
    readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number };
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[]>> | null;
  };
}

export function docker(args: readonly string[], input?: { readonly env?: NodeJS.ProcessEnv }): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, maxBuffer: OUTPUT_BYTES, env: { ...process.env, ...input?.env } };
    execFile('docker', [...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });
}

/** One run of docker-compose.yml, under a name of its own. */
export class Compose {
  readonly #name: string;
  readonly #environment: NodeJS.ProcessEnv;

  /** `files` is COMPOSE_FILE; `environment` what `.env` would say beside it. */
  constructor(name: string, files: readonly string[] = ['docker-compose.yml'], environment: NodeJS.ProcessEnv = {}) {
    this.#name = name;
    this.#environment = { ...environment, COMPOSE_PROJECT_NAME: name, COMPOSE_FILE: files.join(':') };
  }

  /** Runs a script of `docker/` on this run, as an operator does whose `.env` names it; returns what it printed. */
  async script(name: string, ...args: readonly string[]): Promise<string> {
    const options = { cwd: ROOT, env: { ...process.env, ...this.#environment } };
    return (await promisify(execFile)(join('docker', name), [...args], options)).stdout;
  }

  /** Runs `docker compose …`. */
  run(...args: readonly string[]): Promise<Outcome> {
    return docker(['compose', ...args], { env: this.#environment });
  }

  /** The same where anything but success is an error, with what was said. Returns its standard output. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`docker compose ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** A command of Wardline, as the README has it. */
  wardline(...args: readonly string[]): Promise<Outcome> {
    return this.run('exec', '-T', 'console', 'wardline', ...args);
  }

  /** Its JSON document, or JSON lines. */
  async json(...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const stdout = await this.must('exec', '-T', 'console', 'wardline', '--json', ...args);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  /** Every container there is of these services, all unless told otherwise, by its service. */
  async inspect(...services: readonly string[]): Promise<ReadonlyMap<string, Inspected>> {
    const ids = (await this.must('ps', '--all', '--quiet', ...services)).split('\n').filter((id) => id !== '');
    const { stdout } = await docker(['inspect', ...ids]);
    const found = JSON.parse(stdout) as readonly Inspected[];
    return new Map(found.map((one) => [one.Config.Labels['com.docker.compose.service'] ?? '', one]));
  }

  /** Removes volumes, by their names in the file. Nothing may have them mounted, not even what has ended. */
  async removeVolumes(...names: readonly string[]): Promise<void> {
    const { code, stderr } = await docker(['volume', 'rm', ...names.map((name) => `${this.#name}_${name}`)]);
    if (code !== 0) throw new Error(stderr);
  }

  /** Ends what a service runs as a crash would, which its restart policy answers to; `docker kill` counts as asked for. */
  async crash(service: string): Promise<void> {
    const pid = (await this.inspect(service)).get(service)?.State.Pid ?? 0;
    if (pid === 0) throw new Error(`${service} does not run`);
    process.kill(pid, 'SIGKILL');
  }

  /** Resolves when every running container is healthy. */
  async healthy(): Promise<void> {
    for (const deadline = Date.now() + PATIENCE; ;) {
      const all = [...(await this.inspect()).values()];
      const lasting = all.filter(({ HostConfig }) => HostConfig.RestartPolicy.Name !== 'no');
      const sick = lasting.filter(({ State }) => !State.Running || State.Health?.Status !== 'healthy');
      if (sick.length === 0) return;
      if (Date.now() > deadline) throw new Error(`not healthy: ${sick.map(({ Name }) => Name).join(', ')}`);
      await sleep(500);
    }
  }
}
