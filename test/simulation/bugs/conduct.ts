/** What an implementation gets wrong in what it does and says, beyond the mutations of the model. */
import type { PlantedBug } from './planted-bug.js';

const CLEAN_UP = 'src/store/clean-up.ts';
const DECISION = 'src/store/decision.ts';
const NAMES = 'src/store/names.ts';
const RESOLUTION = 'src/store/resolution.ts';
const VOTE = 'src/store/vote.ts';

export const CONDUCT_BUGS: readonly PlantedBug[] = [
  {
    name: 'published by link and unlink',
    rule: 'Records, step 2',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: '(await moveUnlessGone(fs, key, target))',
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
        find: '  return moveUnlessGone(fs, folder, within(layout.trash, randomId(random)));',
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
        find: `      await redo(ports, peer);
      await store.tidy(peer.site);`,
        replace: `      await redo(ports, peer);
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
        find: '    await coverIndex(context, place.peer, exchange.index);',
        replace: '    void coverIndex;',
      },
    ],
  },
  {
    name: 'keys written in another order than SYN names them',
    rule: 'Files and formats',
    changes: [
      {
        file: 'src/exchange/duties.ts',
        find: '      content = contentOf(keys, terms.format);',
        replace: '      content = contentOf([...keys].reverse(), terms.format);',
      },
    ],
  },
  {
    name: 'a key file holds the first key only',
    rule: 'Files and formats',
    changes: [
      {
        file: 'src/exchange/contact.ts',
        find: '    const content = encodeKeyFile(keys, terms.format);',
        replace: '    const content = encodeKeyFile(keys.slice(0, 1), terms.format);',
      },
    ],
  },
  {
    name: 'named by the last key ID at one site',
    rule: 'Files and formats',
    changes: [
      {
        file: 'src/exchange/new-exchange.ts',
        find: `keyIdName(keyIds[0] ?? '', format)`,
        replace: `keyIdName(keyIds.at(agreement.role === 'initiator' ? 0 : -1) ?? '', format)`,
      },
    ],
  },
  {
    name: '--index of the responder is not asked',
    rule: '12',
    changes: [
      {
        file: 'src/handshake/refusal.ts',
        find: '  if (want.index !== undefined && want.index !== nextIndex && !passesOver) {',
        replace: '  if (want.index !== undefined && want.index < nextIndex && !passesOver) {',
      },
    ],
  },
  {
    name: 'a file of somebody else is overwritten',
    rule: '11',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: '    if ((await fs.stat(target)) !== undefined) {',
        replace: '    if (false as boolean) {',
      },
    ],
  },
  {
    name: 'a folder of keys that was taken away passes for a file that was published',
    rule: 'Records, step 2',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: '(await moveUnlessGone(fs, key, target))',
        replace: '(await unlessGone(fs.rename(key, target)))',
      },
    ],
  },
  {
    name: 'a name that is taken is not said',
    rule: '11',
    changes: [
      {
        file: 'src/store/publish.ts',
        find: `      return (await raiseAlarm(context, place, 'name-taken')) ? 'taken' : 'earlier';`,
        replace: `      void raiseAlarm;
      return 'taken';`,
      },
    ],
  },
  {
    name: 'an operator aborts what the initiator has committed',
    rule: 'Resolving',
    changes: [
      {
        file: 'src/exchange/resolve.ts',
        find: '    throw refused(`it is committed, and ${peer} may have saved it`, ',
        replace: `    if (role === 'responder') return '';
    throw refused(\`it is committed, and \${peer} may have saved it\`, `,
      },
      {
        file: RESOLUTION,
        find: "  if (place.state === 'committed') {",
        replace: "  if (place.state === 'committed' && resolution.choice === 'commit') {",
      },
      {
        file: RESOLUTION,
        find: "  if (place.state !== 'staged') return false;\n",
        replace: '',
      },
    ],
  },
  {
    name: `an operator's choice is taken for the initiator's`,
    rule: 'Resolving',
    changes: [
      {
        file: RESOLUTION,
        find: "  if (written) await changeState(fs, layout, place, 'resolved');",
        replace: `  if (choice === 'commit') return written && changeState(fs, layout, place, 'committed');
  if (written) await changeState(fs, layout, place, 'resolved');`,
      },
    ],
  },
  {
    name: 'a contradiction is not said',
    rule: 'Resolving',
    changes: [
      {
        file: VOTE,
        find: `  return (await raiseAlarm(context, place, 'contradiction')) ? 'overruled' : 'moved-on';`,
        replace: `  return 'agreed';`,
      },
    ],
  },
  {
    name: 'what an operator has committed is never done',
    rule: '7',
    changes: [
      {
        file: VOTE,
        find: `    await changeState(fs, layout, place, 'done');
  }`,
        replace: `    if (place.state === 'committed') await changeState(fs, layout, place, 'done');
  }`,
      },
      {
        file: VOTE,
        find: `  if (place.state !== 'done') return exchange`,
        replace: `  const resolved = place.state === 'resolved' ? await readResolution(fs, layout, place) : undefined;
  if (place.state !== 'done' && resolved !== 'commit') return exchange`,
      },
    ],
  },
  {
    name: 'an alarm in the middle of a contact is not told',
    rule: '2',
    changes: [
      {
        file: 'src/handshake/responder.ts',
        find: '  const untold = stuckIn(inspection) > state.stuck || ',
        replace: '  const untold = (state.told.size === 0 && stuckIn(inspection) > state.stuck) || ',
      },
    ],
  },
  {
    name: 'a run without an exchange tells of alarms only',
    rule: 'Exit codes',
    changes: [
      {
        file: 'src/exchange/run.ts',
        find: '      open.push(...ofPeer);',
        replace: `      open.push(...ofPeer.filter(({ standing }) => exchange !== undefined || standing === 'alarm'));`,
      },
    ],
  },
  {
    name: 'what a full disk has aborted is said to be pending',
    rule: 'Exit codes',
    changes: [
      {
        file: 'src/exchange/outcome.ts',
        find: `'alarm' ? 'alarm' : 'aborted';`,
        replace: `'alarm' ? 'alarm' : error?.code === 'storage' ? 'pending' : 'aborted';`,
      },
    ],
  },
  {
    name: 'what a contact puts into the trash stays for the next',
    rule: '15',
    changes: [{ file: CLEAN_UP, find: `ROLES);\n  await emptyTrash(ports);`, replace: `ROLES);` }],
  },
  {
    name: 'a choice counts before it has been made',
    rule: 'Resolving',
    changes: [
      {
        file: VOTE,
        find: `    if (place.state === 'resolved') {
      const said = await holdAgainst(context, place, 'commit');`,
        replace: `    if ((await readResolution(fs, layout, place)) !== undefined) {
      const said = await holdAgainst(context, place, 'commit');`,
      },
    ],
  },
  {
    name: 'nobody writes down who decided',
    rule: 'Resolving',
    changes: [
      {
        file: RESOLUTION,
        find: '  await writeDown(context, record, resolution);',
        replace: '  void writeDown;',
      },
    ],
  },
];
