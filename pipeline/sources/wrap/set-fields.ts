import { isMalformed, type Source } from '../source.ts';

/** Gives fields one value for the whole run, whatever the input holds: the input need not have them. */
export function setFields(source: Source, values: Readonly<Record<string, string>>): Source {
  if (Object.keys(values).length === 0) return source;
  const isSet = (field: string): boolean => Object.hasOwn(values, field);
  return {
    ...source,
    identity: { ...source.identity, set: values },
    async *batches(fields, options) {
      const asked = fields.filter((field) => !isSet(field));
      // For each field either the place of its value among those asked for, or the value itself.
      const plan = fields.map((field) => (isSet(field) ? { value: values[field] } : { place: asked.indexOf(field) }));
      for await (const items of source.batches(asked, options)) {
        yield items.map((item) =>
          isMalformed(item)
            ? item
            : { ...item, values: plan.map((step) => ('place' in step ? item.values[step.place] : step.value)) },
        );
      }
    },
  };
}
