/**
 * Makes the file system of a real process say no, loaded into it by `NODE_OPTIONS=--import`.
 *
 * FAULTY_FS_CODE is the error (ENOSPC, EROFS, EIO), FAULTY_FS_OPERATIONS which operations fail (all that change
 * something where it is empty), for paths below FAULTY_FS_BELOW whose rest matches FAULTY_FS_PATH.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { constants as osConstants } from 'node:os';

const {
  FAULTY_FS_CODE: code = 'EIO',
  FAULTY_FS_BELOW: below = '/',
  FAULTY_FS_PATH: pattern = '',
  FAULTY_FS_OPERATIONS: names = '',
} = process.env;
const chosen = names === '' ? undefined : new Set(names.split(','));
const path = new RegExp(pattern);
const numbers = new Map(Object.entries(osConstants.errno));

/** @param {string} operation @param {unknown[]} paths */
function fails(operation, paths) {
  if (chosen !== undefined && !chosen.has(operation)) return false;
  return paths.some(
    (one) => typeof one === 'string' && one.startsWith(below) && path.test(one.slice(below.length)),
  );
}

/** @param {string} syscall @param {unknown} where */
function failure(syscall, where) {
  const errno = -(numbers.get(code) ?? 5);
  const error = new Error(`${code}: injected, ${syscall} '${String(where)}'`);
  return Object.assign(error, { code, errno, syscall, path: where });
}

/** @param {'mkdir' | 'rename' | 'link' | 'unlink' | 'rmdir'} name @param {number} pathCount */
function patch(name, pathCount) {
  const promised = /** @type {(...args: unknown[]) => Promise<unknown>} */ (fs.promises[name]);
  const called = /** @type {(...args: unknown[]) => void} */ (fs[name]);
  Object.assign(fs.promises, {
    /** @param {unknown[]} args */
    [name]: (...args) =>
      fails(name, args.slice(0, pathCount)) ? Promise.reject(failure(name, args[0])) : promised(...args),
  });
  Object.assign(fs, {
    /** @param {unknown[]} args */
    [name]: (...args) => {
      const done = args.at(-1);
      if (!fails(name, args.slice(0, pathCount)) || typeof done !== 'function') return called(...args);
      process.nextTick(() => {
        done(failure(name, args[0]));
      });
    },
  });
}

patch('mkdir', 1);
patch('unlink', 1);
patch('rmdir', 1);
patch('rename', 2);
patch('link', 2);

const { open } = fs.promises;
Object.assign(fs.promises, {
  /** @param {Parameters<typeof open>} args */
  open: async (...args) => {
    const [where, flags] = args;
    const makes = typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0;
    if (makes && fails('open', [where])) throw failure('open', where);
    const file = await open(...args);
    const { sync, writeFile } = file;
    return Object.assign(file, {
      sync: () => (fails('fsync', [where]) ? Promise.reject(failure('fsync', where)) : sync.call(file)),
      /** @param {Parameters<typeof writeFile>} content */
      writeFile: (...content) =>
        fails('write', [where]) ? Promise.reject(failure('write', where)) : writeFile.apply(file, content),
    });
  },
});

syncBuiltinESMExports();
