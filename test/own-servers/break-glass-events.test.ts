import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventDocument } from '../../audit/event/document.ts';
import { trustedKeys, type TrustedKeys } from '../../audit/signature/signing-key.ts';
import { readSpool } from '../../audit/spool/spool.ts';
import { verifyEvent } from '../../audit/event/verify-event.ts';
import { openHome, type Home } from '../../core/home.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { messagesOn, outsideCredentials, plainKafka } from '../support/outside.ts';
import { scratch } from '../support/scratch.ts';
import { wardline, wardlineOn } from '../support/wardline.ts';

const path = join(scratch().folder, 'a home of its own');
let home: Home;

function keys(): TrustedKeys {
  const { paths } = home;
  return trustedKeys(
    readdirSync(paths.principals).map((principal) => ({
      principal,
      publicKeyPem: readFileSync(join(paths.principals, principal, 'signing.pub'), 'utf8'),
    })),
  );
}

function spooled(): EventDocument[] {
  const trusted = keys();
  return readSpool(home.paths.spool, home.install).map(({ event }) => verifyEvent(Buffer.from(event), trusted));
}

async function onTopic(group: string): Promise<EventDocument[]> {
  const kafka = plainKafka(await outsideCredentials(path, 'auditor'));
  const messages = await messagesOn(kafka, AUDIT_TOPIC, `wardline.auditor.${group}`);
  const trusted = keys();
  return messages.map(({ message }) => verifyEvent(message.value ?? Buffer.alloc(0), trusted));
}

const said = ({ action, actor }: EventDocument): string => `${actor.principal} ${action}`;

describe('a home that is started for the first time', () => {
  beforeAll(async () => {
    await wardlineOn(path, ['up']);
    home = openHome(path);
  });

  afterAll(async () => {
    await wardline(['down', '--wipe', '--yes', '--home', path]);
  });

  it('has the use of break-glass on record before what it was used for', () => {
    expect(spooled().map(said)).toEqual([
      'break-glass break-glass.use',
      'break-glass principals.provision',
      'operator stack.up',
      'operator backup.identity',
    ]);
  });

  it('needs no break-glass at the next start', async () => {
    const before = spooled().length;
    await wardlineOn(path, ['up']);
    expect(spooled().slice(before).map(said)).toEqual(['operator stack.up']);
  });

  it('has `credentials break-glass` on record as a use of it, beside its own event', async () => {
    const used = (events: readonly EventDocument[]) =>
      events.filter(({ action }) => action === 'break-glass.use').length;
    const before = used(await onTopic('credentials-before'));
    await wardlineOn(path, ['credentials', 'reader']);
    await wardlineOn(path, ['credentials', 'break-glass']);
    const after = await onTopic('credentials-after');
    expect(used(after)).toBe(before + 1);
    const shown = after.filter(({ action }) => action === 'credentials.show').map(({ object }) => object.id);
    expect(shown).toEqual(expect.arrayContaining(['reader', 'break-glass']));
  });

  it('says on the log, while there still is one, that it is to be wiped', async () => {
    // The wipe takes the log along, so a reader must have it before the servers stop: the home is kept from going.
    const kafka = plainKafka(await outsideCredentials(path, 'auditor'));
    const consumer = kafka.consumer({ groupId: 'wardline.auditor.wipe', maxWaitTimeInMs: 50 });
    const trusted = keys();
    const seen: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: AUDIT_TOPIC, fromBeginning: true });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(said(verifyEvent(message.value ?? Buffer.alloc(0), trusted)));
        return Promise.resolve();
      },
    });
    await joined;
    const { code, stderr } = await wardline(['down', '--wipe', '--yes', '--home', path]);
    await consumer.disconnect();
    expect(code, stderr).toBe(0);
    expect(seen).toContain('operator stack.wipe');
    expect(stderr).not.toContain('on no record');
  });

  it('that does not run is wiped all the same, and the command says that no log took it', async () => {
    const { code, stderr } = await wardline(['certs', 'mint', '--home', path]);
    expect(code, stderr).toBe(0);
    const wiped = await wardline(['down', '--wipe', '--yes', '--home', path]);
    expect(wiped.code, wiped.stderr).toBe(0);
    expect(wiped.stderr).toContain('the wipe is on no record');
  });
});
