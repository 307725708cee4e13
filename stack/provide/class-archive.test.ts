import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../test/support/scratch.ts';
import { classArchive } from './class-archive.ts';

const { folder } = scratch();
const file = join(folder, 'tool.jsa');
const fileIn = (options: readonly string[], option: string): string | undefined =>
  options.find((each) => each.startsWith(`${option}=`))?.slice(option.length + 1);

describe('a class data archive', () => {
  it('is made by whoever is first, for its owner alone, and whole or not at all', () => {
    const [one, other] = [classArchive(file), classArchive(file)];
    const made = [one, other].map(({ options }) => fileIn(options, '-XX:ArchiveClassesAtExit') ?? '');
    expect(new Set([...made, file]).size).toBe(3);
    one.keep();
    expect(readdirSync(folder)).toEqual([]);
    for (const path of made) writeFileSync(path, path, { mode: 0o444 });
    for (const each of [one, other]) each.keep();
    expect(readdirSync(folder)).toEqual(['tool.jsa']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is mapped by those after', () => {
    const archive = classArchive(file);
    const { options } = archive;
    expect(fileIn(options, '-XX:SharedArchiveFile')).toBe(file);
    expect(fileIn(options, '-XX:ArchiveClassesAtExit')).toBeUndefined();
    archive.keep();
    expect(readdirSync(folder)).toEqual(['tool.jsa']);
  });

  it('is not asked for where there is no such folder', () => {
    expect(classArchive(join(folder, 'missing', 'tool.jsa')).options).toEqual([]);
  });
});
