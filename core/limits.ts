/** Largest Kafka message batch that Wardline's topics accept (`max.message.bytes`), in bytes. */
export const MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Bytes of messages sent in one request: half of what a topic accepts, because kafkajs puts all messages of a request
 * for one partition into one record batch and adds its own framing.
 */
export const REQUEST_LIMIT_BYTES = MESSAGE_LIMIT_BYTES / 2;

/** Largest single message: what fits into a request with room for headers and framing. */
export const SINGLE_MESSAGE_LIMIT_BYTES = MESSAGE_LIMIT_BYTES - 64 * 1024;

/** A write timestamp further ahead of the broker's append time than this is a dead letter, in microseconds. */
export const TIMESTAMP_AHEAD_LIMIT_MICROSECONDS = 5n * 60n * 1_000_000n;
