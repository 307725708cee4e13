import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS, type AuditAction } from '../event/actions.ts';
import type { EventStatement } from '../event/event.ts';
import { createEventSigner } from '../event/sign-event.ts';
import { columnsOf } from '../store/columns.ts';
import { ocsfOf } from './ocsf.ts';

const { privateKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
});
const TIME = Date.UTC(2026, 4, 3, 10, 20, 30, 456);
const signer = {
  principal: 'operator',
  host: 'h1',
  install: 'i1',
  signingKeyPem: privateKey,
  clock: { now: () => TIME },
};
const sign = createEventSigner(signer);

type Members = Readonly<Record<string, unknown>>;

function ocsf(action: AuditAction, outcome: EventStatement['outcome'], more: Partial<EventStatement> = {}): Members {
  const message = sign({ action, object: { type: 'home', id: 'h' }, outcome, ...more });
  return ocsfOf({ epoch: 1, sequence: 7, message, columns: columnsOf(message) }) as Members;
}

/**
 * What the published schema (ocsf-schema 1.3.0) requires of class `api_activity` with its parents, by dotted name:
 * `requirement: required` of each attribute, `constraints.at_least_one` of each object that is there.
 */
const REQUIRED: Readonly<Record<string, 'integer' | 'text'>> = {
  activity_id: 'integer',
  category_uid: 'integer',
  class_uid: 'integer',
  type_uid: 'integer',
  severity_id: 'integer',
  time: 'integer',
  'metadata.version': 'text',
  'metadata.product.vendor_name': 'text',
  'metadata.product.name': 'text',
  'actor.user.name': 'text',
  'api.operation': 'text',
  'api.service.name': 'text',
  'src_endpoint.hostname': 'text',
};

function at(event: Members, name: string): unknown {
  return name.split('.').reduce<unknown>((value, key) => (value as Members | undefined)?.[key], event);
}

describe('an event in the form of OCSF', () => {
  const kinds = Object.keys(AUDIT_ACTIONS).flatMap((action) =>
    (['success', 'denied', 'failure'] as const).map((outcome) => [action as AuditAction, outcome] as const),
  );

  it.each(kinds)('%s, %s, has what the schema requires', (action, outcome) => {
    const event = ocsf(action, outcome);
    for (const [name, kind] of Object.entries(REQUIRED)) {
      const value = at(event, name);
      expect([
        name,
        kind === 'integer' ? Number.isSafeInteger(value) : typeof value === 'string' && value !== '',
      ]).toEqual([name, true]);
    }
    const activity = Number(event['activity_id']);
    expect([1, 2, 3, 4, 99]).toContain(activity);
    expect(event).toMatchObject({ category_uid: 6, class_uid: 6003, type_uid: 6003 * 100 + activity, time: TIME });
    // The schema wants the name wherever the number says no more than "other".
    expect(event['activity_name']).toMatch(activity === 99 ? /^[a-z-]+$/ : /^(Create|Read|Update|Delete)$/);
    expect(event['status_id']).toBe(outcome === 'success' ? 1 : 2);
    expect([1, 2, 3]).toContain(event['severity_id']);
    expect(event['resources']).toEqual([{ type: 'home', name: 'h' }]);
  });

  it('says of the activity what it was', () => {
    const activities = (['keys.create', 'read.open', 'config.change', 'keys.destroy', 'stage.seal'] as const).map(
      (action) => ocsf(action, 'success')['activity_name'],
    );
    expect(activities).toEqual(['Create', 'Read', 'Update', 'Delete', 'seal']);
  });

  it('keeps what OCSF has no member for', () => {
    const more = {
      code: 'REFUSED_BY_POLICY',
      counts: { rows: 3 },
      details: { purpose: 'care' },
      traceId: 'a'.repeat(32),
    };
    const event = ocsf('read.open', 'denied', more);
    expect(event).toMatchObject({
      status_code: 'REFUSED_BY_POLICY',
      status_detail: 'denied',
      metadata: { sequence: 7, correlation_uid: more.traceId },
      unmapped: { epoch: 1, counts: { rows: 3 }, details: { purpose: 'care' } },
    });
  });

  it('is not made of what is no event', () => {
    const message = Buffer.from('no event');
    expect(ocsfOf({ epoch: 1, sequence: 0, message, columns: columnsOf(message) })).toBeUndefined();
  });
});
