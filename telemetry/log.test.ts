import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WardlineError } from '../core/errors/errors.ts';
import { createLog } from './log.ts';
import { MASK } from './redaction/redaction.ts';
import { rotatedFiles } from './files/rotating-file.ts';

const MARKER = 'marker-51ce';

function captured(level: 'info' | 'warn' = 'info') {
  const lines: string[] = [];
  const { logger } = createLog({
    service: 'worker',
    level,
    clock: { now: () => 0 },
    write: (line) => lines.push(line),
  });
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>;
  return { logger, lines, last };
}

describe('the log', () => {
  it('writes JSON lines with time, level, service and message', () => {
    const { logger, last } = captured();
    logger.info({ records: 3 }, 'stored');
    expect(last()).toMatchObject({
      level: 'info',
      time: '1970-01-01T00:00:00.000Z',
      service: 'worker',
      records: 3,
      msg: 'stored',
    });
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = captured('warn');
    logger.info('unheard');
    expect(lines).toEqual([]);
  });

  it('lets no secret and no input through: objects, texts, arguments, errors', () => {
    const { logger, lines } = captured();
    logger.info({ deep: { sasl: { password: MARKER } } }, 'connecting');
    logger.warn({ token: MARKER }, 'by name');
    logger.info('key %s', { key: MARKER });
    logger.info(`-----BEGIN PRIVATE KEY-----${MARKER}`);
    logger.error(new SyntaxError(`unexpected ${MARKER}`));
    logger.error({ err: new Error(MARKER) }, 'failed');
    logger.error({ cause: [new Error(MARKER)] }, 'failed');
    logger.error({ row: Buffer.from(MARKER) }, 'failed');
    expect(lines.length).toBe(8);
    expect(lines.join('')).not.toContain(MARKER);
    expect(lines.join('')).toContain(MASK);
  });

  it('tells what one of our errors says', () => {
    const { logger, last } = captured();
    logger.error(new WardlineError('KAFKA_UNREACHABLE', 'no broker answers', { hint: 'start it' }));
    expect(last()).toMatchObject({
      msg: 'no broker answers',
      err: { code: 'KAFKA_UNREACHABLE', message: 'no broker answers', hint: 'start it' },
    });
  });

  it('goes to rotated files of its service, and to standard error where they cannot be written', () => {
    const parent = mkdtempSync(join(tmpdir(), 'log-'));
    try {
      const folder = join(parent, 'logs');
      const log = createLog({ service: 'worker', level: 'info', folder });
      log.logger.info('to the file');
      log.close();
      expect(
        rotatedFiles(folder, 'worker')
          .map((path) => readFileSync(path, 'utf8'))
          .join(''),
      ).toContain('to the file');

      const blocked = join(parent, 'blocked');
      writeFileSync(blocked, '');
      const lines: string[] = [];
      createLog({ service: 'worker', level: 'info', folder: blocked, write: (line) => lines.push(line) }).logger.info(
        'passed on',
      );
      expect(lines.join('')).toContain('passed on');
    } finally {
      rmSync(parent, { recursive: true });
    }
  });
});
