/**
 * Joins texts so that no two different lists give the same bytes: each text as UTF-8, preceded by its length
 * in bytes as a 32-bit big-endian number. Used wherever several values are hashed or authenticated together.
 */
export function lengthPrefixed(parts: readonly (string | Uint8Array)[]): Buffer {
  let size = 0;
  for (const part of parts) size += 4 + (typeof part === 'string' ? Buffer.byteLength(part) : part.length);
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    const length = typeof part === 'string' ? joined.write(part, at + 4) : (joined.set(part, at + 4), part.length);
    joined.writeUInt32BE(length, at);
    at += 4 + length;
  }
  return joined;
}
