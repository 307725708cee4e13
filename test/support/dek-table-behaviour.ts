import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { DekTable } from '../../security/keyring/dek-table.ts';

const CREATED = Date.parse('2026-03-01T00:00:00Z');
const DESTROYED = Date.parse('2026-03-02T00:00:00Z');

const generation = (subject: string, number: number) => ({
  subject,
  generation: number,
  kid: `kid-${number}-${randomUUID()}`,
  wrapped: `wrapped-${number}`,
  createdAt: CREATED,
});

/** What every keys table does, the one in Cassandra and its stand-in. Each test uses a subject of its own. */
export function behavesAsDekTable(open: () => DekTable): void {
  it('knows nothing of a subject that it never saw', async () => {
    expect(await open().readAll(randomUUID())).toEqual({ erased: false, rows: [] });
  });

  it('stores a generation once, and keeps the first', async () => {
    const [table, subject] = [open(), randomUUID()];
    const first = generation(subject, 1);
    expect(await table.insertIfAbsent(first)).toBe('inserted');
    expect(await table.insertIfAbsent(generation(subject, 1))).toBe('exists');
    expect(await table.readAll(subject)).toEqual({
      erased: false,
      rows: [{ ...first, state: 'active', destroyedAt: undefined }],
    });
  });

  it('lets one of many that race win', async () => {
    const [table, subject] = [open(), randomUUID()];
    const all = Array.from({ length: 8 }, () => generation(subject, 1));
    const outcomes = await Promise.all(all.map((row) => table.insertIfAbsent(row)));
    expect(outcomes.filter((outcome) => outcome === 'inserted')).toHaveLength(1);
    expect((await table.readAll(subject)).rows[0]?.kid).toBe(all[outcomes.indexOf('inserted')]?.kid);
  });

  it('retires a generation, which stays readable', async () => {
    const [table, subject] = [open(), randomUUID()];
    await table.insertIfAbsent(generation(subject, 1));
    await table.insertIfAbsent(generation(subject, 2));
    await table.retire(subject, 1);
    await table.retire(subject, 7);
    const { rows } = await table.readAll(subject);
    expect(rows.map((row) => [row.generation, row.state, row.wrapped])).toEqual([
      [1, 'retired', 'wrapped-1'],
      [2, 'active', 'wrapped-2'],
    ]);
  });

  it('destroys every generation, keeps the rows, and takes no new ones', async () => {
    const [table, subject] = [open(), randomUUID()];
    const [first, second] = [generation(subject, 1), generation(subject, 2)];
    await table.insertIfAbsent(first);
    await table.insertIfAbsent(second);
    await table.retire(subject, 1);
    expect(await table.destroy(subject, DESTROYED)).toEqual([first.kid, second.kid]);
    expect(await table.readAll(subject)).toEqual({
      erased: true,
      rows: [first, second].map((row) => ({ ...row, wrapped: '', state: 'destroyed', destroyedAt: DESTROYED })),
    });
    expect(await table.insertIfAbsent(generation(subject, 3))).toBe('erased');
    expect(await table.destroy(subject, DESTROYED)).toEqual([]);
  });

  it('erases a subject that never had a key', async () => {
    const [table, subject] = [open(), randomUUID()];
    expect(await table.destroy(subject, DESTROYED)).toEqual([]);
    expect(await table.readAll(subject)).toEqual({ erased: true, rows: [] });
    expect(await table.insertIfAbsent(generation(subject, 1))).toBe('erased');
  });

  it('readmits an erased subject without bringing back a key or a number', async () => {
    const [table, subject] = [open(), randomUUID()];
    expect(await table.readmit(subject)).toBe(false);
    await table.insertIfAbsent(generation(subject, 1));
    await table.destroy(subject, DESTROYED);
    expect(await table.readmit(subject)).toBe(true);
    expect(await table.insertIfAbsent(generation(subject, 1))).toBe('exists');
    expect(await table.insertIfAbsent(generation(subject, 2))).toBe('inserted');
    expect((await table.readAll(subject)).rows.map((row) => row.state)).toEqual(['destroyed', 'active']);
  });

  it('lists every generation, and which subjects are erased', async () => {
    const [table, kept, gone] = [open(), randomUUID(), randomUUID()];
    for (const row of [generation(kept, 1), generation(kept, 2), generation(gone, 1)]) await table.insertIfAbsent(row);
    await table.destroy(gone, DESTROYED);
    const listed: string[] = [];
    for await (const row of table.list()) {
      if (row.subject === kept) listed.push(`kept ${row.generation} ${row.state} ${row.erased}`);
      if (row.subject === gone) listed.push(`gone ${row.generation} ${row.state} ${row.erased}`);
    }
    expect(listed.sort()).toEqual(['gone 1 destroyed true', 'kept 1 active false', 'kept 2 active false']);
  });
}
