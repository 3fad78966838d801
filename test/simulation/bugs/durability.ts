/** What an implementation forgets to make durable, or believes to be so, beyond the mutations of the model. */
import type { PlantedBug } from './planted-bug.js';

const RECORD = 'src/store/record.ts';
const VOTE = 'src/store/vote.ts';
const STAGING = 'src/store/staging.ts';
const DURABLE = 'src/store/durable.ts';
const SUSPECT = 'src/store/suspect.ts';

export const DURABILITY_BUGS: readonly PlantedBug[] = [
  {
    name: 'no SUSPECT',
    rule: '13',
    changes: [
      {
        file: SUSPECT,
        find: `        if (!isFailedFsync(error)) throw error;
        failed`,
        replace: `        if (!isFailedFsync(error) || true) throw error;
        failed`,
      },
    ],
  },
  {
    name: 'a folder whose fsync has failed is trusted by the next run',
    rule: '13',
    changes: [
      {
        file: SUSPECT,
        find: `        if (!(error instanceof UnsureFolderError)) throw error;`,
        replace: `        if (!(error instanceof UnsureFolderError) || true) throw error;`,
      },
    ],
  },
  {
    name: 'a failed fsync is tried again and trusted',
    rule: '13',
    changes: [
      {
        file: SUSPECT,
        find: `        if (!isFailedFsync(error)) throw error;
        failed`,
        replace: `        if (!isFailedFsync(error)) throw error;
        if (true as boolean) return work();
        failed`,
      },
    ],
  },
  {
    name: 'what is open is told without fsync',
    rule: '6',
    shield: {
      rule: 'a responder finishes by itself what went back to committed',
      changes: [
        {
          file: 'src/store/store.ts',
          find: `if (place.role === 'responder' && isDue) {`,
          replace: `if (place.role === 'responder' && isDue && place.state === 'done') {`,
        },
      ],
    },
    changes: [
      {
        file: VOTE,
        find: `  if (found.length + resolved.length > 0)
    await suspicion.guard(() => fs.syncFolder(layout.role(peer, 'responder')));`,
        replace: '  void suspicion;',
      },
    ],
  },
  {
    name: 'files are not fsynced',
    rule: 'Records, step 1',
    changes: [{ file: DURABLE, find: '    await file.sync();\n', replace: '' }],
  },
  {
    name: 'the new folder is not fsynced before it is staged',
    rule: 'Records, step 1',
    changes: [{ file: STAGING, find: '    await fs.syncFolder(temporary);\n', replace: '' }],
  },
  {
    name: 'beta is not durable before the decision',
    rule: '4',
    changes: [
      {
        file: RECORD,
        find: `    return written && (await unlessGone(fs.syncFolder(folder)));
  } catch`,
        replace: `    return written;
  } catch`,
      },
    ],
  },
  {
    name: 'the parent of a folder that was there is not fsynced',
    rule: 'Records, step 1',
    changes: [
      {
        file: DURABLE,
        find: `  try {
    await secureNames(fs, parent);
  } catch`,
        replace: `  if (existed) return;
  try {
    await secureNames(fs, parent);
  } catch`,
      },
    ],
  },
  {
    name: 'the trash is emptied of what may come back',
    rule: '15',
    changes: [
      {
        file: 'src/store/clean-up.ts',
        find: '  if (names.length > 0) await secureNames(fs, layout.trash);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'nobody looks for SUSPECT after an fsync of a decision',
    rule: '13',
    changes: [
      {
        file: SUSPECT,
        find: '      await confirm();\n      return result;',
        replace: '      return result;',
      },
    ],
  },
  {
    name: 'the record goes before its file is durable',
    rule: '8',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: '  await syncKeyFiles(fs, layout, exchange.peer);',
        replace: '',
      },
    ],
  },
  {
    name: 'a folder of keys that somebody else has made is taken for durable',
    rule: 'Records, step 2',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: '[layout.keys, dirname(target)]',
        replace: '[dirname(target)]',
      },
    ],
  },
];
