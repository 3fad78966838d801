/** The mutations of the spin model of the protocol (test/model), each in the real code. */
import type { PlantedBug } from './planted-bug.js';

const DECISION = 'src/store/decision.ts';
const RECORD = 'src/store/record.ts';
const VOTE = 'src/store/vote.ts';
const PUBLISH = 'src/store/publish.ts';
const STAGING = 'src/store/staging.ts';
const CONTACT = 'src/exchange/contact.ts';

const PUBLISH_SYNCS = `  await syncKeyFiles(fs, layout, exchange.peer);
  await unlessGone(fs.syncFolder(record));`;

export const MODEL_BUGS: readonly PlantedBug[] = [
  {
    name: 'read decision told without fsync',
    rule: '6 (M_NOREADSYNC)',
    changes: [
      {
        file: DECISION,
        find: `      await suspicion.guard(() => fs.syncFolder(layout.role(place.peer, 'initiator')));
      const beta`,
        replace: '      const beta',
      },
      {
        file: DECISION,
        find: `  await fs.syncFolder(layout.role(place.peer, place.role));
  await suspicion.confirm();
  const exchange = await readExchange(fs, layout, place);
  if (exchange === undefined) return 'moved-on';`,
        replace: `  const exchange = await readExchange(fs, layout, place);
  if (exchange === undefined) return 'moved-on';`,
      },
    ],
  },
  {
    name: 'state changed without compare-and-swap',
    rule: '4 and 5 (M_NOCAS)',
    changes: [
      {
        file: RECORD,
        find: `  return unlessGone(fs.rename(recordFolder(layout, place), recordFolder(layout, { ...place, state: to })));`,
        replace: `  const target = recordFolder(layout, { ...place, state: to });
  return (async () => {
    for (const state of [place.state, ...STATES_OF[place.role].filter((one) => one !== to)]) {
      if (await unlessGone(fs.rename(recordFolder(layout, { ...place, state }), target))) return true;
    }
    return false;
  })();`,
      },
    ],
  },
  {
    name: 'staged at the initiator only after SYN_ACK',
    rule: '1 (M_STAGELATE)',
    changes: [
      {
        file: CONTACT,
        find: '  let ackAt: number | undefined;',
        replace: `  let ackAt: number | undefined;
  let late: Extract<Work, { do: 'stage' }> | undefined;`,
      },
      {
        file: CONTACT,
        find: `          exchange = await stage(work);
        } finally {
          wipe();
        }`,
        replace: `          late = work;
        } finally {
        }`,
      },
      {
        file: CONTACT,
        find: '        if (exchange !== undefined) exchange = { ...exchange, progress: ',
        replace: `        if (late !== undefined) exchange = await stage(late);
        if (exchange !== undefined) exchange = { ...exchange, progress: `,
      },
    ],
  },
  {
    name: 'ACK before the decision is durable',
    rule: '4 (M_NOCOMMITSYNC)',
    changes: [
      {
        file: DECISION,
        find: `  await suspicion.guard(() => fs.syncFolder(layout.role(peer, 'initiator')));
`,
        replace: '',
      },
    ],
  },
  {
    name: 'initiator publishes without fsync',
    rule: '8 (M_NOPUBSYNCA)',
    changes: [
      { file: PUBLISH, find: PUBLISH_SYNCS, replace: `  if (place.role === 'responder') {${PUBLISH_SYNCS}}` },
    ],
  },
  {
    name: 'FIN before the file is durable',
    rule: '7 (M_FINEARLY)',
    changes: [
      { file: PUBLISH, find: PUBLISH_SYNCS, replace: `  if (place.role === 'initiator') {${PUBLISH_SYNCS}}` },
    ],
  },
  {
    name: 'initiator forgets without FIN',
    rule: '8 (M_FORGETEARLY)',
    changes: [
      {
        file: 'src/exchange/repeat-decision.ts',
        find: `  await store.redo(peer.site);
  return alarms;`,
        replace: `  await store.finish(exchange.id);
  return alarms;`,
      },
    ],
  },
  {
    name: 'END for a removal that is not durable',
    rule: '8 (M_NOENDSYNC)',
    changes: [
      {
        file: DECISION,
        find: `      await suspicion.guard(() => unlessGone(fs.syncFolder(layout.role(known, 'initiator'))));`,
        replace: '      void known;',
      },
      {
        file: DECISION,
        find: `  await fs.syncFolder(layout.role(place.peer, place.role));
  try {
    await emptyTrash(context);`,
        replace: `  try {
    for (const name of await fs.list(layout.trash)) {
      const gone = join(layout.trash, name);
      for (const file of await fs.list(gone)) await unlessGone(fs.unlink(join(gone, file)));
      await unlessGone(fs.rmdir(gone)).catch(() => undefined);
    }`,
      },
      {
        file: DECISION,
        find: `import { emptyTrash, releaseAborted, toTrash } from './clean-up.js';`,
        replace: `import { join } from 'node:path';
import { releaseAborted, toTrash } from './clean-up.js';`,
      },
    ],
  },
  {
    name: 'no tombstone at the responder',
    rule: '7 (M_BFORGET)',
    changes: [
      {
        file: VOTE,
        find: `    if (place === undefined) return 'unknown';
    if (place.state`,
        replace: `    if (place === undefined) return 'done';
    if (place.state`,
      },
      {
        file: VOTE,
        find: `    await changeState(fs, layout, place, 'done');
  }`,
        replace: `    await remove(context, place);
  }`,
      },
    ],
  },
  {
    name: 'vote before the record is durable',
    rule: '2 (M_NOSTAGESYNCB)',
    changes: [
      {
        file: STAGING,
        find: 'await secureNames(fs, layout.role(peer, role));',
        replace: `if (role === 'initiator') await secureNames(fs, layout.role(peer, role));`,
      },
    ],
  },
  {
    name: 'ABORT discards whatever the state',
    rule: '3 (M_ABTANY)',
    changes: [
      {
        file: VOTE,
        find: `    if (place.state === 'staged') {
      if (!(await changeState`,
        replace: `    if (true as boolean) {
      await unlessGone(fs.unlink(layout.peerKeys(peer) + '/' + exchange.name));
      if (!(await changeState`,
      },
    ],
  },
  {
    name: 'responder gives its vote up alone',
    rule: '3 (M_BABORT)',
    changes: [
      {
        file: 'src/exchange/answer.ts',
        find: '  const { hello, clear, refusal } = state;',
        replace: `  const { hello, clear, refusal } = state;
  if (hello !== undefined && duties.exchange !== undefined && !duties.committed.has(duties.exchange.id)) {
    await ports.store.discard(hello.site, duties.exchange.id, hello.stateId);
  }`,
      },
    ],
  },
];
