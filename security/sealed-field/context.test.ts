import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextText, fieldContext, fieldContexts, placeContext, textOfContext } from './context.ts';
import vectors from './vectors.json' with { type: 'json' };

const wellFormed = fc.string({ unit: 'grapheme' });

describe('the context of a sealed field', () => {
  it.each(vectors.contexts)(
    'of $contract $property $key is the written-down one',
    ({ contract, property, key, ctx }) => {
      expect(contextText(contract, property, key)).toBe(ctx);
      expect(fieldContexts(contract, [property])(key).map(textOfContext)).toEqual([ctx]);
    },
  );

  it('is the same whether made for one field or for many', () => {
    fc.assert(
      fc.property(
        wellFormed,
        fc.array(wellFormed, { maxLength: 6 }),
        fc.array(wellFormed),
        (contract, properties, key) => {
          expect(fieldContexts(contract, properties)(key)).toEqual(
            properties.map((property) => fieldContext(contract, property, key)),
          );
        },
      ),
    );
  });

  it('stays right when a long key makes the scratch buffer grow, and after it', () => {
    const contexts = fieldContexts('c', ['p', 'another']);
    for (const key of [['a'], ['x'.repeat(100_000)], ['a']]) {
      expect(contexts(key)).toEqual([fieldContext('c', 'p', key), fieldContext('c', 'another', key)]);
    }
  });

  it('differs where the same texts are divided differently', () => {
    expect(contextText('ab', 'c', [])).not.toBe(contextText('a', 'bc', []));
    expect(contextText('c', 'p', ['a', 'b'])).not.toBe(contextText('c', 'p', ['ab', '']));
    expect(placeContext(['p', 'k'])).not.toBe(fieldContext('p', 'k', []));
  });
});
