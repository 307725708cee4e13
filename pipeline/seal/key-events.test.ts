import { expect, it } from 'vitest';
import { eventDocument } from '../../audit/event/document.ts';
import type { EventStatement } from '../../audit/event/event.ts';
import { subjectTag } from '../../security/keyring/subject-tag.ts';
import { announceTo } from './key-events.ts';

const INTEGRITY_KEY = Buffer.alloc(32, 7);
const CONTRACT = { id: 'clinic', version: '1.0.0', hash: 'a'.repeat(64) };
const KEY = {
  contract: 'clinic',
  subject: 'patient-17',
  classification: 'restricted',
  generation: 2,
  kid: 'k-1',
} as const;

async function announced(): Promise<EventStatement> {
  const statements: EventStatement[] = [];
  const append = (statement: EventStatement): Promise<void> => {
    statements.push(statement);
    return Promise.resolve();
  };
  await announceTo({ append }, CONTRACT, INTEGRITY_KEY)(KEY);
  const [statement] = statements;
  if (statement === undefined) throw new Error('nothing was announced');
  return statement;
}

it('states class, generation and key id, and names the subject by a tag alone', async () => {
  const author = { principal: 'source', host: 'here', install: 'one', clock: { now: () => 0 } };
  const document = eventDocument(await announced(), author);
  expect(document).toMatchObject({
    action: 'keys.create',
    object: { id: 'k-1' },
    contract: CONTRACT,
    details: { class: 'restricted', generation: 2, subject_tag: subjectTag(INTEGRITY_KEY, 'patient-17') },
  });
  expect(JSON.stringify(document)).not.toContain('patient-17');
  // Sent twice after a lost acknowledgement it is recognised as one.
  expect(eventDocument(await announced(), author).id).toBe(document.id);
});

it('tags differ by subject and by contract', () => {
  const tags = [
    subjectTag(INTEGRITY_KEY, 'patient-17'),
    subjectTag(INTEGRITY_KEY, 'patient-18'),
    subjectTag(Buffer.alloc(32, 8), 'patient-17'),
  ];
  expect(new Set(tags).size).toBe(tags.length);
});
