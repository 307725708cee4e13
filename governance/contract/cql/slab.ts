/** Bytes of one slab: many rows share it, and one buffer of this size is freed at once instead of thousands of small ones. */
const SLAB_BYTES = 64 * 1024;

/** Texts that could need more than this get a buffer of their own, so that a slab is never wasted on one value. */
const LONGEST_SLAB_TEXT_BYTES = SLAB_BYTES / 4;

/** UTF-8 bytes that one UTF-16 code unit needs at most. */
const MOST_BYTES_PER_CODE_UNIT = 3;

/**
 * Room for encoded values: each is a view into a shared block of memory, written once and never again.
 * A block lives as long as any value in it; bounded in-flight work bounds the blocks.
 */
export class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;

  /** The value as 8 bytes, IEEE 754 big-endian. */
  double(value: number): Buffer {
    const at = this.#take(8);
    this.#bytes.writeDoubleBE(value, at);
    return this.#bytes.subarray(at, at + 8);
  }

  /** A whole number of at most 32 bits, two's complement big-endian. */
  int32(value: number): Buffer {
    const at = this.#take(4);
    this.#bytes.writeInt32BE(value, at);
    return this.#bytes.subarray(at, at + 4);
  }

  uint32(value: number): Buffer {
    const at = this.#take(4);
    this.#bytes.writeUInt32BE(value, at);
    return this.#bytes.subarray(at, at + 4);
  }

  int64(value: bigint): Buffer {
    const at = this.#take(8);
    this.#bytes.writeBigInt64BE(value, at);
    return this.#bytes.subarray(at, at + 8);
  }

  /** A whole number within ±2^53 as 64 bits: no bigint is made for it. */
  safeInt64(value: number): Buffer {
    const at = this.#take(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#bytes.writeInt32BE(high, at);
    this.#bytes.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
    return this.#bytes.subarray(at, at + 8);
  }

  byte(value: number): Buffer {
    const at = this.#take(1);
    this.#bytes[at] = value;
    return this.#bytes.subarray(at, at + 1);
  }

  /** The text as UTF-8. */
  text(value: string): Buffer {
    const most = value.length * MOST_BYTES_PER_CODE_UNIT;
    if (most > LONGEST_SLAB_TEXT_BYTES) return Buffer.from(value, 'utf8');
    const at = this.#take(most);
    const written = this.#bytes.write(value, at, 'utf8');
    // What the text did not need goes back: texts are mostly ASCII.
    this.#used = at + written;
    return this.#bytes.subarray(at, at + written);
  }

  #take(size: number): number {
    if (this.#used + size > SLAB_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += size;
    return at;
  }
}
