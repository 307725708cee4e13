import { WardlineError } from '../../../core/errors/errors.ts';
import type { MessageHeader, TopicMessage } from './message.ts';

const FIXED_BYTES = 4 + 8 + 8;
const LENGTH_BYTES = 4;
/** The length that stands for null. */
const NULL_LENGTH = -1;

/**
 * A message as it stands in a chunk, all numbers big-endian: partition (4 bytes), offset (8), append time (8, signed
 * milliseconds), key, value, number of headers (4), and of each header its name (UTF-8) and value. Bytes are preceded by
 * their length (4, signed; -1 is null).
 */
export function encodeFrame({ partition, offset, timestamp, key, value, headers }: TopicMessage): Buffer {
  const named = headers.map(([name, content]) => [Buffer.from(name, 'utf8'), content] as const);
  const bytes =
    FIXED_BYTES +
    LENGTH_BYTES +
    sizeOf(key) +
    sizeOf(value) +
    named.reduce((sum, [name, content]) => sum + sizeOf(name) + sizeOf(content), 0);
  const frame = Buffer.allocUnsafe(bytes);
  let at = frame.writeUInt32BE(partition);
  at = frame.writeBigUInt64BE(BigInt(offset), at);
  at = frame.writeBigInt64BE(BigInt(timestamp), at);
  at = writeBytes(frame, at, key);
  at = writeBytes(frame, at, value);
  at = frame.writeUInt32BE(named.length, at);
  for (const [name, content] of named) {
    at = writeBytes(frame, at, name);
    at = writeBytes(frame, at, content);
  }
  return frame;
}

/** The messages of a chunk, which are views of `bytes`. Throws OBJECT_DAMAGED where they are no frames. */
export function decodeFrames(bytes: Buffer): TopicMessage[] {
  const messages: TopicMessage[] = [];
  const reader = { bytes, at: 0 };
  try {
    while (reader.at < bytes.length) messages.push(readFrame(reader));
  } catch (error) {
    if (error instanceof WardlineError) throw error;
    throw malformed(reader.at, error);
  }
  return messages;
}

interface FrameReader {
  readonly bytes: Buffer;
  at: number;
}

function readFrame(reader: FrameReader): TopicMessage {
  const { bytes, at } = reader;
  const partition = bytes.readUInt32BE(at);
  const offset = Number(bytes.readBigUInt64BE(at + 4));
  const timestamp = Number(bytes.readBigInt64BE(at + 12));
  reader.at += FIXED_BYTES;
  const key = readBytes(reader);
  const value = readBytes(reader);
  const headers: MessageHeader[] = [];
  for (let left = readCount(reader); left > 0; left -= 1) {
    const name = readBytes(reader);
    if (name === null) throw malformed(reader.at);
    headers.push([name.toString('utf8'), readBytes(reader)]);
  }
  return { partition, offset, timestamp, key, value, headers };
}

function sizeOf(bytes: Buffer | null): number {
  return LENGTH_BYTES + (bytes?.length ?? 0);
}

function writeBytes(frame: Buffer, at: number, bytes: Buffer | null): number {
  const start = frame.writeInt32BE(bytes?.length ?? NULL_LENGTH, at);
  return start + (bytes?.copy(frame, start) ?? 0);
}

function readBytes(reader: FrameReader): Buffer | null {
  const length = reader.bytes.readInt32BE(reader.at);
  const start = reader.at + LENGTH_BYTES;
  if (length < NULL_LENGTH || start + length > reader.bytes.length) throw malformed(reader.at);
  reader.at = start + Math.max(length, 0);
  return length === NULL_LENGTH ? null : reader.bytes.subarray(start, reader.at);
}

function readCount(reader: FrameReader): number {
  const count = reader.bytes.readUInt32BE(reader.at);
  reader.at += LENGTH_BYTES;
  return count;
}

function malformed(at: number, cause?: unknown): WardlineError {
  return new WardlineError('OBJECT_DAMAGED', `what stands at byte ${at} of the chunk is no message`, { cause });
}
