import { randomBytes } from 'node:crypto';
import { RECORD_FIELDS, records } from '../../rig/records.ts';
import type { SealAnswer, SealWork } from '../../processes/seal.ts';

/** What the bench uses of the package, which is there only once the peers are installed. */
interface SchemaRegistry {
  readonly SchemaRegistryClient: { newClient(configuration: { baseURLs: string[]; cacheCapacity: number }): Client };
  readonly JsonSerializer: new (client: Client, type: number, configuration: object) => Serializer;
  readonly FieldEncryptionExecutor: { register(): unknown };
  readonly LocalKmsDriver: { register(): void };
  readonly SerdeType: { readonly VALUE: number };
}
interface Client {
  register(subject: string, schema: object, normalize: boolean): Promise<number>;
}
interface Serializer {
  serialize(topic: string, message: object): Promise<Buffer>;
}

const TOPIC = 'bench';
const TAG = 'PII';
/** A magic byte and the schema's id stand before the JSON. */
const FRAME_BYTES = 5;
/** The fields that ours seals, spelled as the source spells them. */
const ENCRYPTED = [
  'Home office [kW]',
  'Kitchen 12 [kW]',
  'Kitchen 14 [kW]',
  'Kitchen 38 [kW]',
  'Microwave [kW]',
  'Living room [kW]',
];
const FIELDS = ['home_id', 'time', ...ENCRYPTED];
/** Records under way at once: its ciphers may run on other threads than its walk through the schema. */
const AT_ONCE = [1, 32];

// It logs whole records where a rule complains; nothing but the answer may leave this process.
for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined;

const work = JSON.parse(process.argv[2] ?? '{}') as SealWork;
const name: string = '@confluentinc/schemaregistry';
const loaded = (await import(name)) as { readonly default: SchemaRegistry };
const serializer = await openSerializer(loaded.default);
const messages: Readonly<Record<string, unknown>>[] = [];
for await (const batch of records(work.records)) messages.push(...batch.map(messageOf));

await checkEncrypted(messages[0] ?? {});
await encryptFor(1, 1);
const rates = [];
for (const atOnce of AT_ONCE) rates.push(await encryptFor(work.seconds, atOnce));
const best = rates.reduce((a, b) => (b.fieldsPerSecond > a.fieldsPerSecond ? b : a));
process.stdout.write(`${JSON.stringify(best satisfies SealAnswer)}\n`);
process.exit();

async function openSerializer(registry: SchemaRegistry): Promise<Serializer> {
  registry.FieldEncryptionExecutor.register();
  registry.LocalKmsDriver.register();
  const client = registry.SchemaRegistryClient.newClient({ baseURLs: ['mock://bench'], cacheCapacity: 1000 });
  const properties = Object.fromEntries(
    FIELDS.map((field) => [
      field,
      ENCRYPTED.includes(field) ? { type: 'string', 'confluent:tags': [TAG] } : { type: 'string' },
    ]),
  );
  await client.register(
    `${TOPIC}-value`,
    {
      schemaType: 'JSON',
      schema: JSON.stringify({ type: 'object', properties }),
      ruleSet: {
        domainRules: [
          {
            name: 'encrypt',
            kind: 'TRANSFORM',
            mode: 'WRITEREAD',
            type: 'ENCRYPT',
            tags: [TAG],
            params: { 'encrypt.kek.name': 'bench', 'encrypt.kms.type': 'local-kms', 'encrypt.kms.key.id': 'bench' },
            onFailure: 'ERROR,NONE',
          },
        ],
      },
    },
    false,
  );
  const ruleConfig = { secret: randomBytes(32).toString('base64url') };
  return new registry.JsonSerializer(client, registry.SerdeType.VALUE, { useLatestVersion: true, ruleConfig });
}

/** All texts, because it encrypts strings only. */
function messageOf(cells: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(FIELDS.map((field) => [field, cells[RECORD_FIELDS.indexOf(field)] ?? '']));
}

/** A rule that does not fit is passed over in silence: that every value is encrypted must be seen. */
async function checkEncrypted(message: Readonly<Record<string, unknown>>): Promise<void> {
  const bytes = await serializer.serialize(TOPIC, { ...message });
  const encrypted = JSON.parse(bytes.subarray(FRAME_BYTES).toString()) as Record<string, unknown>;
  if (ENCRYPTED.some((field) => encrypted[field] === message[field])) throw new Error('the peer left a field in clear');
}

async function encryptFor(seconds: number, atOnce: number): Promise<SealAnswer> {
  const began = performance.now();
  let done = 0;
  let bytes = 0;
  while (performance.now() - began < seconds * 1000) {
    // A copy each time: the serializer writes its ciphertexts into the object that it is given.
    const group = Array.from({ length: atOnce }, (_unused, index) => ({
      ...messages[(done + index) % messages.length],
    }));
    const encrypted = await Promise.all(group.map((message) => serializer.serialize(TOPIC, message)));
    for (const buffer of encrypted) bytes += buffer.length;
    done += atOnce;
  }
  const elapsed = (performance.now() - began) / 1000;
  return { fieldsPerSecond: (done * ENCRYPTED.length) / elapsed, bytesPerRecord: bytes / done };
}
