export { requireErasable } from './require-erasable.ts';
export { s3Place } from './s3-client.ts';
export { s3Store } from './s3-store.ts';
