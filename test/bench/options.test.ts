import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';
import { PART_NAMES } from './parts/names.ts';

test('without parts all run, with the numbers of the targets', () => {
  expect(parseOptions([])).toMatchObject({ parts: PART_NAMES, records: 300_000, json: false, installPeers: false });
});

test('parts run in the order of the bench, not of the command line', () => {
  expect(parseOptions(['memory', 'source', '--json']).parts).toEqual(['source', 'memory']);
});

test.each([['nothing'], ['--records=0'], ['--records=many'], ['--rounds=-1'], ['--unknown']])(
  '%s is refused',
  (argument) => {
    expect(() => parseOptions([argument])).toThrow();
  },
);
