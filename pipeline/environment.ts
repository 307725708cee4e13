import { hostname } from 'node:os';
import type { EventStatement } from '../audit/event/event.ts';
import { createKafkaAuditLog, type RenewableAuditLog } from '../audit/append/kafka-audit-log.ts';
import { watchedAuditLog } from '../audit/append/watched-audit-log.ts';
import type { Clock } from '../core/clock.ts';
import type { Settings } from '../core/configuration.ts';
import type { Connection } from '../core/connection.ts';
import { asWardlineError } from '../core/errors/errors.ts';
import type { Home } from '../core/home.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import { accessOf, readCredential } from '../security/connect/access.ts';
import { kafkaClient } from '../security/connect/kafka/kafka.ts';
import type { KeyEscrow } from '../security/keyring/key-escrow.ts';
import type { PrincipalName } from '../security/principals/names.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import { ATTRIBUTES } from '../telemetry/names.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { StageName } from './facts.ts';
import type { Surroundings } from './stage.ts';

/** What a process of the pipeline works with. */
export interface Environment {
  readonly home: Home;
  readonly settings: Settings;
  readonly connection: Connection;
  readonly contract: CompiledContract;
  readonly contractPath: string;
  readonly telemetry: Telemetry;
  readonly instruments: Instruments;
  readonly clock: Clock;
  /** Opens the escrow that keeps a copy of each data key, for a process that makes some. */
  readonly openEscrow: (integrityKey: (contract: string) => Uint8Array) => ProcessEscrow;
  /** Tells what waits, and why. Called at most once for each attempt. */
  readonly onWaiting: (reason: string) => void;
  /** Tells what the contract calls an alarm. */
  readonly onAlarm: (alarm: string) => void;
  /** Aborted when the process is to end: reading stops, what was read is finished. */
  readonly stop: AbortSignal;
  /** Aborted when waiting has no more use: what is unfinished stays uncommitted. */
  readonly giveUp: AbortSignal;
}

/** The escrow of one process. */
export interface ProcessEscrow extends KeyEscrow {
  close(): Promise<void>;
}

const FIRST_DELAY = 100;
const LONGEST_DELAY = 5000;

/** The audit log of a process: it waits for as long as it takes, because nothing may pass unaudited. */
export function auditOf(environment: Environment, principal: PrincipalName): RenewableAuditLog {
  const { connection, home, clock, onWaiting, giveUp, instruments } = environment;
  const log = createKafkaAuditLog({
    kafka: kafkaClient(connection, principal),
    principal,
    host: hostname(),
    install: home.install,
    signingKeyPem: readCredential(accessOf(connection, principal).signingKey),
    clock,
    retry: { attempts: Infinity },
    onWaiting: ({ reason }) => {
      instruments.auditWaits.add(1, {});
      onWaiting(`audit log: ${reason}`);
    },
    signal: giveUp,
  });
  return watchedAuditLog(log, environment.telemetry.tracer, instruments);
}

/** Whom the stages wait for that do not work alone. */
const SERVER_OF: Readonly<Partial<Record<StageName, string>>> = {
  produce: 'Kafka',
  store: 'Cassandra',
  'dead-letter': 'Kafka',
};

/** What surrounds the stages of a process: infrastructure faults are waited out, everything is traced and measured. */
export function surroundingsOf(environment: Environment): Surroundings {
  return {
    tracer: environment.telemetry.tracer,
    measure: measureInto(environment.instruments, environment.contract.id),
    repeated: (stage) =>
      environment.instruments.retries.add(1, {
        [ATTRIBUTES.contractId]: environment.contract.id,
        [ATTRIBUTES.stage]: stage,
      }),
    silent: (stage, seconds) =>
      environment.onWaiting(`${SERVER_OF[stage] ?? 'the process itself'} has not answered for ${seconds} s (${stage})`),
    retry: {
      firstDelayMilliseconds: FIRST_DELAY,
      longestDelayMilliseconds: LONGEST_DELAY,
      attempts: Infinity,
      retryable: (error) => asWardlineError(error).retryable,
      onRetry: (error) => environment.onWaiting(asWardlineError(error).message),
      signal: environment.giveUp,
    },
  };
}

/** What the semantic conventions ask of measurements of a messaging client. */
const KAFKA_SEND = { [ATTRIBUTES.messagingSystem]: 'kafka', [ATTRIBUTES.messagingOperation]: 'send' } as const;
const KAFKA_POLL = { [ATTRIBUTES.messagingSystem]: 'kafka', [ATTRIBUTES.messagingOperation]: 'poll' } as const;

function measureInto(instruments: Instruments, contractId: string): Surroundings['measure'] {
  return (stage, { counts }, milliseconds) => {
    const attributes = { [ATTRIBUTES.contractId]: contractId, [ATTRIBUTES.stage]: stage };
    const seconds = milliseconds / 1000;
    instruments.stageDuration.record(seconds, attributes);
    instruments.records.add(counts['rows'] ?? counts['accepted'] ?? counts['records'] ?? 0, attributes);
    if (stage === 'produce' || stage === 'dead-letter') {
      const request = { ...KAFKA_SEND, [ATTRIBUTES.stage]: stage };
      instruments.sent.add(counts['records'] ?? counts['dead_letters'] ?? 0, request);
      instruments.messagingDuration.record(seconds, request);
    } else if (stage === 'consume') {
      instruments.consumed.add(counts['records'] ?? 0, KAFKA_POLL);
    }
    if (stage === 'seal') {
      instruments.sealDuration.record(seconds, attributes);
      instruments.sealedFields.add(counts['fields'] ?? 0, attributes);
    } else if (stage === 'dead-letter') {
      instruments.deadLetters.add(counts['dead_letters'] ?? 0, attributes);
    } else if (stage === 'store') {
      instruments.databaseDuration.record(seconds, attributes);
    }
  };
}

/** The files that a rotation of certificates changes for a principal. */
export function tlsFilesOf({ connection }: Environment, principal: PrincipalName): readonly string[] {
  const { certificate, key } = accessOf(connection, principal);
  return [connection.kafka.ca, connection.cassandra.ca, certificate, key];
}

/** States that a process of the pipeline began or ended its work under a contract. */
export function processStatement(
  action: 'source.start' | 'source.stop' | 'worker.start' | 'worker.stop',
  { contract }: Environment,
  counts?: Readonly<Record<string, number>>,
): EventStatement {
  const { id, version, hash } = contract;
  return { action, object: { type: 'contract', id }, outcome: 'success', contract: { id, version, hash }, counts };
}
