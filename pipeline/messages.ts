import { asSealed, type Sealed } from '../core/record.ts';
import { TRACEPARENT_HEADER } from '../telemetry/propagation.ts';
import type { SealedBatch } from './seal/protocol.ts';

/** Names of the headers that every message of a data topic carries. */
export const HEADERS = {
  contractId: 'contract-id',
  contractVersion: 'contract-version',
  writeTimestamp: 'write-timestamp',
  mac: 'mac',
  contentType: 'content-type',
  traceparent: TRACEPARENT_HEADER,
} as const;

const CONTENT_TYPE = 'application/json';

/** Cuts a sealed batch into messages; keys and values are views, nothing is copied. */
export function messagesOf(
  batch: SealedBatch,
  firstTimestamp: number,
  constant: { readonly contractId: string; readonly contractVersion: string; readonly traceparent: string | undefined },
): Sealed[] {
  const bytes = Buffer.from(batch.bytes);
  const common = {
    [HEADERS.contractId]: constant.contractId,
    [HEADERS.contractVersion]: constant.contractVersion,
    [HEADERS.contentType]: CONTENT_TYPE,
    ...(constant.traceparent === undefined ? {} : { [HEADERS.traceparent]: constant.traceparent }),
  };
  return batch.macs.map((mac, index) => {
    const start = batch.starts[index] ?? 0;
    const end = batch.starts[index + 1] ?? start;
    const keyEnd = start + 4 + bytes.readUInt32BE(start);
    const writeTimestamp = String(firstTimestamp + (batch.indexes[index] ?? 0));
    return asSealed({
      key: bytes.subarray(start + 4, keyEnd),
      value: bytes.subarray(keyEnd + 4, end),
      headers: { ...common, [HEADERS.writeTimestamp]: writeTimestamp, [HEADERS.mac]: mac },
      digest: Buffer.from(batch.digests.buffer, batch.digests.byteOffset + index * 32, 32),
      size: end - start,
    });
  });
}
