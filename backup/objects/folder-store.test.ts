import { join } from 'node:path';
import { scratch } from '../../test/support/scratch.ts';
import { objectStoreBehaviour } from '../../test/support/backup/object-store-behaviour.ts';
import { folderStore } from './folder-store.ts';

const { folder } = scratch();
let stores = 0;

objectStoreBehaviour('a folder', () => folderStore(join(folder, String((stores += 1)))));
