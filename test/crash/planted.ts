/**
 * Bugs planted in copies of the package, each with the points at which it must be caught: a suite that finds nothing
 * wrong proves little unless it finds these.
 */
import { find, type Calls } from './bench.js';
import type { Patch } from './packed.js';
import type { ScenarioName } from './point.js';

export interface PlantedBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** Whose calls the points are found by; a first exchange where it is left out. */
  readonly scenario?: ScenarioName;
  /** @param calls of that scenario with the bug */
  readonly points: (calls: Calls) => string[];
}

const PUBLISH = '(await moveUnlessGone(fs, key, target))';

export const PLANTED: readonly PlantedBug[] = [
  {
    name: 'publishes-by-link-and-unlink',
    patches: [
      {
        file: 'store/publish.js',
        from: PUBLISH,
        to: '(await unlessGone(fs.link(key, target).then(() => fs.unlink(key))))',
      },
    ],
    points: ({ A, B }) => [
      `A:kill-before:${find(A, 'unlink', /\.committed\/key$/)}`,
      `B:kill-before:${find(B, 'unlink', /\.committed\/key$/)}`,
    ],
  },
  {
    name: 'publishes-by-copy',
    patches: [
      {
        file: 'store/publish.js',
        from: PUBLISH,
        to: `(await unlessGone((async () => {
          const { bytes } = await fs.read(key, 1 << 20);
          const file = await fs.create(target);
          await file.write(bytes);
          await file.close();
          await fs.unlink(key);
        })()))`,
      },
    ],
    points: ({ A }) => [`A:torn:${find(A, 'write', /\/keys\/B\/B_0$/)}`],
  },
  {
    name: 'responder-aborts-on-hang-up',
    patches: [
      {
        file: 'exchange/answer.js',
        from: 'const { hello, clear, refusal } = state;',
        to: `const { hello, clear, refusal } = state;
          if (duties.exchange !== undefined && duties.committed.size === 0)
            await ports.store.discard(hello.site, duties.exchange.id, hello.stateId);`,
      },
    ],
    points: ({ A }) => [`A:kill-before:${find(A, 'rename', /\.committed$/) + 1}`],
  },
  {
    name: 'responder-keeps-no-tombstone',
    patches: [
      {
        file: 'store/vote.js',
        from: "await changeState(fs, layout, place, 'done');",
        to: 'await remove(context, place);',
      },
    ],
    points: ({ A }) => [`A:kill-before:${find(A, 'rename', /\/keys\/B\/B_0$/)}`],
  },
  {
    name: 'responder-names-no-votes',
    patches: [{ file: 'store/vote.js', from: "inDoubt: idsIn('staged')", to: 'inDoubt: []' }],
    points: ({ A }) => [`A:kill-before:${find(A, 'creat', /\.staged\/beta$/)}`],
  },
  {
    // Nothing but the exit code is wrong: the next contact settles what is open.
    name: 'broken-recover-is-called-done',
    patches: [
      {
        file: 'exchange/run.js',
        from: 'open.push(...ofPeer);',
        to: `open.push(...ofPeer.filter(({ standing }) => exchange !== undefined || standing === 'alarm'));`,
      },
      {
        file: 'exchange/run.js',
        from: 'outcome: outcomeOf(common, open)',
        to: `outcome: exchange === undefined ? 'settled' : outcomeOf(common, open)`,
      },
    ],
    scenario: 'decided',
    points: ({ B }) => [`decided:B:kill-before:${find(B, 'rename', /\.committed$/)}`],
  },
  {
    name: 'trash-is-never-emptied-later',
    patches: [
      {
        file: 'store/clean-up.js',
        from: 'await removeProbes(ports, peer);\n    await emptyTrash(ports);',
        to: '',
      },
      {
        file: 'store/clean-up.js',
        from: 'await clear(ports, peer, ROLES);\n    await emptyTrash(ports);',
        to: 'await clear(ports, peer, ROLES);',
      },
    ],
    points: ({ A }) => [`A:kill-before:${find(A, 'unlink', /\/\.trash\/.*\/beta$/)}`],
  },
  {
    name: 'unconfirmed-is-called-success',
    patches: [{ file: 'cli/exit-code.js', from: 'unconfirmed: 10', to: 'unconfirmed: 0' }],
    points: ({ B }) => [
      `B:kill-after:${find(B, 'rename', /\.staged$/)}`,
      `B:kill-before:${find(B, 'rename', /\.committed$/)}`,
    ],
  },
];
