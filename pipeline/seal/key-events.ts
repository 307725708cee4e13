import type { AuditLog } from '../../audit/event/event.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import type { AnnounceKey } from '../../security/keyring/keyring.ts';
import { subjectTag } from '../../security/keyring/subject-tag.ts';

/** Puts each new data key on the record before it is stored: no event, no key. The subject is named by its tag alone. */
export function announceTo(
  audit: Pick<AuditLog, 'append'>,
  contract: Pick<CompiledContract, 'id' | 'version' | 'hash'>,
  integrityKey: Uint8Array,
): AnnounceKey {
  const { id, version, hash } = contract;
  return ({ subject, classification, generation, kid }) =>
    audit.append({
      action: 'keys.create',
      object: { type: 'data key', id: kid },
      outcome: 'success',
      contract: { id, version, hash },
      details: { class: classification, generation, subject_tag: subjectTag(integrityKey, subject) },
      identity: [kid],
    });
}
