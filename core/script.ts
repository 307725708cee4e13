import { extname } from 'node:path';

/** How files of the program end: `.ts` as they are written, `.js` as they are built. */
export const SCRIPT = extname(import.meta.filename);
