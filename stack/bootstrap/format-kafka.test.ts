import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clusterId } from './format-kafka.ts';

it('is always the same for one installation, and 16 bytes in base64url that read as no option', () => {
  fc.assert(
    fc.property(fc.uuid(), (install) => {
      const id = clusterId(install);
      expect(id).toBe(clusterId(install));
      expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    }),
  );
});
