/** Classifications, weakest first. From `personal` on a value is sensitive: it is sealed before it leaves the source. */
export const CLASSIFICATIONS = ['public', 'internal', 'personal', 'restricted'] as const;

export type Classification = (typeof CLASSIFICATIONS)[number];
export type SensitiveClass = Extract<Classification, 'personal' | 'restricted'>;

export const SENSITIVE_CLASSES: readonly SensitiveClass[] = ['personal', 'restricted'];

export function isSensitive(classification: Classification): classification is SensitiveClass {
  return classification === 'personal' || classification === 'restricted';
}

/** The stronger of two classifications. */
export function strongest(a: Classification, b: Classification): Classification {
  return CLASSIFICATIONS.indexOf(a) >= CLASSIFICATIONS.indexOf(b) ? a : b;
}
