/** This machine's files, as `doctor` looks at them. */
import { constants } from 'node:fs';
import { open, readdir, stat, statfs } from 'node:fs/promises';
import { systemCode } from '../base/errors.js';
import type { Disk } from './ports.js';

const PIECE_BYTES = 64 * 1024;

/** Far more than the largest key file has: 65,536 keys of 4,096 bits in hex. */
const SCAN_MAX_BYTES = 128 * 1024 * 1024;

export const nodeDisk: Disk = {
  stat: async (path) => {
    try {
      const facts = await stat(path);
      const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'other';
      return { kind, bytes: facts.size, mode: facts.mode & 0o7777, uid: facts.uid };
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  },

  list: (path) => readdir(path),

  fileSystem: async (folder) => (await statfs(folder)).type,

  scan: async (path, look) => {
    // Without O_NONBLOCK a pipe that nobody writes to would hold us for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const piece = Buffer.alloc(PIECE_BYTES);
    try {
      for (let total = 0; total <= SCAN_MAX_BYTES;) {
        const { bytesRead } = await file.read(piece, 0, piece.length, null);
        if (bytesRead === 0) return;
        look(piece.subarray(0, bytesRead));
        total += bytesRead;
      }
      throw Object.assign(new Error('EFBIG: file too large'), { code: 'EFBIG' });
    } finally {
      piece.fill(0);
      await file.close();
    }
  },
};
