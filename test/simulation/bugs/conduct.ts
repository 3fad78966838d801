/** What an implementation gets wrong in what it does and says, beyond the mutations of the model. */
import type { PlantedBug } from './planted-bug.js';

const CLEAN_UP = 'src/store/clean-up.ts';
const DECISION = 'src/store/decision.ts';
const NAMES = 'src/store/names.ts';
const VOTE = 'src/store/vote.ts';

export const CONDUCT_BUGS: readonly PlantedBug[] = [
  {
    name: 'published by link and unlink',
    rule: 'Records, step 2',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: '(await unlessGone(fs.rename(key, target)))',
        replace: '(await unlessGone(fs.link(key, target))) && (await unlessGone(fs.unlink(key)))',
      },
    ],
  },
  {
    name: 'folders deleted in place',
    rule: '15',
    changes: [
      {
        file: CLEAN_UP,
        find: '  return unlessGone(fs.rename(folder, within(layout.trash, randomId(random))));',
        replace: `  void random;
  if ((await fs.stat(folder)) === undefined) return false;
  await remove(fs, folder);
  return true;`,
      },
    ],
  },
  {
    name: 'settled by number instead of ID',
    rule: '17',
    changes: [
      {
        file: DECISION,
        find: `  const staged: RecordPlace = { peer, role: 'initiator', id, state: 'staged' };`,
        replace: `  const open = (await listRecords(fs, layout, peer, 'initiator')).find(({ state }) => state === 'staged');
  const staged: RecordPlace = { peer, role: 'initiator', id: open?.id ?? id, state: 'staged' };`,
      },
      {
        file: DECISION,
        find: '  findRecord,\n',
        replace: '  findRecord,\n  listRecords,\n',
      },
    ],
  },
  {
    name: 'no reservation of names',
    rule: '11',
    changes: [
      {
        file: NAMES,
        find: '    await fs.rename(aside, within(folder, name));',
        replace: `    await fs.unlink(within(aside, id));
    await fs.rmdir(aside);`,
      },
    ],
  },
  {
    name: 'no state ID',
    rule: '3',
    changes: [
      {
        file: VOTE,
        find: `    if (exchange.peerStateId !== stateId) return 'foreign';
    if (place.state === 'resolved') {`,
        replace: `    void stateId;
    if (place.state === 'resolved') {`,
      },
      {
        file: VOTE,
        find: '  const own = found.filter(({ exchange }) => exchange.peerStateId === stateId);',
        replace: '  const own = found;',
      },
      {
        file: VOTE,
        find: '  const foreign = found.filter(({ exchange }) => exchange.peerStateId !== stateId);',
        replace: '  const foreign: typeof found = [];',
      },
    ],
  },
  {
    name: 'records selected by the role of the run',
    rule: '17',
    changes: [
      {
        file: DECISION,
        find: `    const place = await findRecord(fs, layout, peer, 'initiator', id);
    if (place !== undefined) return place;`,
        replace: `    const place =
      (await findRecord(fs, layout, peer, 'initiator', id)) ?? (await findRecord(fs, layout, peer, 'responder', id));
    if (place !== undefined) return place;`,
      },
      {
        file: 'src/exchange/initiate.ts',
        find: `      await store.redo(peer.site);
      await store.tidy(peer.site);`,
        replace: `      await store.redo(peer.site);
      for (const { place } of await store.survey(peer.site)) if (place.state === 'staged') await store.judge(place.id);
      await store.tidy(peer.site);`,
      },
    ],
  },
  {
    name: 'a signal gives a vote up',
    rule: '3',
    changes: [
      {
        file: 'src/exchange/answer.ts',
        find: '  const { hello, clear, refusal } = state;',
        replace: `  const { hello, clear, refusal } = state;
  if (signal.aborted && hello !== undefined && duties.exchange !== undefined) {
    await ports.store.discard(hello.site, duties.exchange.id, hello.stateId);
  }`,
      },
    ],
  },
  {
    name: 'ABORT said before the abort is decided',
    rule: '9',
    changes: [
      {
        file: DECISION,
        find: `    } else if (place.state === 'aborted' || (await changeState(fs, layout, place, 'aborted'))) {`,
        replace: `    } else if (place.state === 'staged') {
      return ABORTED;
    } else {`,
      },
    ],
  },
  {
    name: 'the mark is not raised before the name is free',
    rule: '12',
    changes: [
      {
        file: DECISION,
        find: '    if (exchange.index !== undefined) await raiseIndex(fs, layout, place.peer, exchange.index);',
        replace: '    void raiseIndex;',
      },
    ],
  },
  {
    name: 'a superseded handler is not awaited',
    rule: '14',
    harmless:
      'the new handler waits for the lock of the old one, and every state changes by compare-and-swap',
    changes: [
      {
        file: 'src/exchange/contacts.ts',
        find: `      await before.channel.close();
      await before.handled;`,
        replace: '      void before.channel.close();',
      },
    ],
  },
];
