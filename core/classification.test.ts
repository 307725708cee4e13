import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CLASSIFICATIONS, isSensitive, SENSITIVE_CLASSES, strongest } from './classification.ts';

const classification = fc.constantFrom(...CLASSIFICATIONS);

it('from personal on a value is sensitive', () => {
  expect(CLASSIFICATIONS.filter((each) => isSensitive(each))).toEqual(['personal', 'restricted']);
  expect(SENSITIVE_CLASSES).toEqual(['personal', 'restricted']);
});

it('of two classes the later one is the stronger', () => {
  expect(strongest('public', 'internal')).toBe('internal');
  expect(strongest('restricted', 'personal')).toBe('restricted');
});

it('what is made of a sensitive value is sensitive, in whatever order it is combined', () => {
  fc.assert(
    fc.property(classification, classification, classification, (a, b, c) => {
      expect(strongest(a, b)).toBe(strongest(b, a));
      expect(strongest(strongest(a, b), c)).toBe(strongest(a, strongest(b, c)));
      expect(isSensitive(strongest(a, b))).toBe(isSensitive(a) || isSensitive(b));
    }),
  );
});
