/** The disk fails before and after the decision, on each site; and what SUSPECT keeps from happening. */
import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import { NO_FAULT, type Fault, type Operation } from '../../support/faulty-file-system.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import type { TestSite } from '../../support/site.js';
import { expectSettled, expectTrue } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});

const failing =
  (code: string, when: (operation: Operation) => boolean, after?: true): Fault =>
  (operation) =>
    when(operation) ? { code, ...(after && { after }) } : undefined;

/** Only the first time. */
const onceOnly = (fault: Fault): Fault => {
  let met = false;
  return (operation) => {
    if (met) return undefined;
    const found = fault(operation);
    met = found !== undefined;
    return found;
  };
};

const writesKey = ({ name, target }: Operation): boolean => name === 'create' && target === 'key';
const renamesTo =
  (state: string) =>
  ({ name, target }: Operation): boolean =>
    name === 'rename' && target.endsWith(`.${state}`);
const publishes =
  (name: string) =>
  (operation: Operation): boolean =>
    operation.name === 'rename' && operation.path.endsWith('/key') && operation.target === name;

async function expectNothing(): Promise<void> {
  link.a.fault = NO_FAULT;
  link.b.fault = NO_FAULT;
  expect(await link.a.files(link.b)).toEqual({});
  await expectSettled(link);
}

async function settle(): Promise<void> {
  link.a.fault = NO_FAULT;
  link.b.fault = NO_FAULT;
  const [a, b] = await link.recover();
  expect([a.outcome, b.outcome]).toEqual(['settled', 'settled']);
  await expectSettled(link);
}

describe.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO'])('%s before the decision', (code) => {
  test('at A, while it stages: nothing is left', async () => {
    link.a.fault = failing(code, writesKey);
    const [a] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'storage' } });
    expect(link.network.types()).toEqual(['HELLO', 'STATUS']);
    await expectNothing();
  });

  test('at A, as it decides: B hears of the abort', async () => {
    link.a.fault = failing(code, renamesTo('committed'));
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'storage' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'peer-aborted' } });
    await expectNothing();
  });

  test('at B, while it stages: A hears of it', async () => {
    link.b.fault = failing(code, writesKey);
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-aborted' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'storage' } });
    await expectNothing();
  });

  test('at A, in every write: no key is drawn', async () => {
    link.a.fault = failing(code, () => true);
    const [a] = await link.exchange();
    // After an I/O error nobody knows whether the new folders last.
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: code === 'EIO' ? 'suspect' : 'storage' } });
    expect(link.a.kme.calls).toEqual([]);
  });

  test('at B, where it tries a rename beforehand: no key is drawn', async () => {
    link.b.fault = failing(code, ({ name, target }) => name === 'rename' && target.includes('probe'));
    const [a, b] = await link.exchange();
    expect([a.outcome, b.outcome]).toEqual(['aborted', 'aborted']);
    expect(link.a.kme.count('getKey')).toBe(0);
    await expectNothing();
  });
});

describe.each(['ENOSPC', 'EROFS'])('%s after the decision', (code) => {
  test('at A, as it publishes: pending, and the next contact settles it', async () => {
    link.a.fault = failing(code, publishes('B_0'));
    const asking = link.a.initiate(link.b);
    const answering = link.b.respond([link.a]);
    const [a, b] = await link.both(asking, answering);
    expect(a).toMatchObject({
      outcome: 'pending',
      error: { code: 'storage' },
      exchange: { progress: 'committed' },
    });
    expect(b.outcome).toBe('unconfirmed');
    await expectTrue(a, link.a, link.b);
    await settle();
    expect(Object.keys(await link.a.files(link.b))).toEqual(['B_0']);
  });

  test('at B, as it publishes: pending, A is told nothing false', async () => {
    link.b.fault = failing(code, publishes('A_0'));
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'unconfirmed' });
    expect(b).toMatchObject({ outcome: 'pending', error: { code: 'storage' } });
    expect(link.network.types()).not.toContain('FIN');
    await settle();
    expect(Object.keys(await link.b.files(link.a))).toEqual(['A_0']);
  });

  test('at B, as it would commit: in doubt, and the next contact settles it', async () => {
    link.b.fault = failing(code, renamesTo('committed'));
    const [a, b] = await link.exchange();
    expect([a.outcome, b.outcome]).toEqual(['unconfirmed', 'in-doubt']);
    await settle();
  });
});

test('a decision that is reported as failed and was made is known as made', async () => {
  link.a.fault = onceOnly(failing('EIO', renamesTo('committed'), true));
  const [a, b] = await link.exchange();
  expect(a).toMatchObject({ outcome: 'saved', exchange: { progress: 'committed' } });
  expect(b.outcome).toBe('saved');
  await expectSettled(link);
});

describe('an fsync that fails after', () => {
  const decisionsFsync = (role: string): Fault => {
    let decided = false;
    return ({ name, path, target }) => {
      if (name === 'rename' && target.endsWith('.committed')) decided = true;
      return decided && name === 'syncFolder' && path.endsWith(`/${role}`) ? { code: 'EIO' } : undefined;
    };
  };

  test("A's decision: nothing is told, decided says the report, and nothing moves until the machine is restarted", async () => {
    link.a.fault = decisionsFsync('initiator');
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'pending', error: { code: 'suspect' } });
    expect(b.outcome).toBe('in-doubt');
    expect(link.network.types()).not.toContain('ACK');

    link.a.fault = NO_FAULT;
    const again = await link.until(link.a.recover(link.b).report);
    expect(again).toMatchObject({ outcome: 'aborted', error: { code: 'suspect' } });
    expect(await link.a.files(link.b)).toEqual({});

    link.a.bootId = 'boot-2';
    await settle();
    expect(Object.keys(await link.a.files(link.b))).toEqual(['B_0']);
  });

  test("B's commit: no FIN, no further contact is answered", async () => {
    link.b.fault = decisionsFsync('responder');
    const asking = link.a.initiate(link.b);
    const answering = link.b.respond([link.a]);
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'pending', error: { code: 'suspect' } });
    const a = await link.until(asking.report);
    expect(a.outcome).toBe('unconfirmed');
    expect(link.network.types()).not.toContain('FIN');

    link.b.fault = NO_FAULT;
    const refused = await link.until(link.b.respond([link.a]).report);
    expect(refused.error?.code).toBe('suspect');

    link.b.bootId = 'boot-2';
    await settle();
  });

  test('the commit of a responder that stays: it ends, and says that a decision is not in place yet', async () => {
    link.b.fault = decisionsFsync('responder');
    const answering = link.b.respond([link.a], { serve: true });
    const asking = link.a.initiate(link.b);
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'pending', error: { code: 'suspect' } });
    expect(exitCodeOf(b)).toBe(14);
    await link.until(asking.report);
    // The next run, which has seen nothing fail itself, has nothing to say of any key file.
    link.b.fault = NO_FAULT;
    const refused = await link.until(link.b.respond([link.a], { serve: true }).report);
    expect(exitCodeOf(refused)).toBe(74);
    link.b.bootId = 'boot-2';
    await settle();
  });
});

describe('what an earlier run could not put in place', () => {
  /** Leaves B with a decision of this peer that its disk does not take. */
  async function leavePending(peer: TestSite): Promise<void> {
    link.b.fault = failing('ENOSPC', publishes(`${peer.id}_0`));
    await link.both(peer.initiate(link.b, { terms: { ackTimeoutMs: 0 } }), link.b.respond([peer]));
  }

  test('keeps a responder from no other peer, is said, and is 14 at its end', async () => {
    const other = link.site('AA');
    await leavePending(other);
    const answering = link.b.respond([other, link.a], { serve: true });
    const a = await link.until(link.a.initiate(link.b).report);
    expect(a.outcome).toBe('saved');
    expect(link.b.log.all('not-finished')).toMatchObject([{ level: 'error', fields: { peer: 'AA' } }]);
    // Before that peer is answered it is tried again, and must not be answered yet.
    expect(await link.until(other.recover(link.b).report)).toMatchObject({ error: { code: 'peer-lost' } });
    answering.interrupt();
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'pending', open: [{ peer: 'AA', standing: 'pending' }] });
    expect(exitCodeOf(b)).toBe(14);

    link.b.fault = NO_FAULT;
    const [again] = await link.both(other.recover(link.b), link.b.respond([other, link.a]));
    expect(again.outcome).toBe('settled');
    expect(Object.keys(await link.b.files(other))).toEqual(['AA_0']);
  });

  test('is 14 at the end of a responder to whom nobody has come', async () => {
    await leavePending(link.a);
    const b = await link.until(link.b.respond([link.a]).report);
    expect(b).toMatchObject({ outcome: 'pending', error: { code: 'storage' } });
    expect(exitCodeOf(b)).toBe(14);
  });

  test('is 14 at the end of an initiator that has no exchange of its own', async () => {
    link.a.fault = failing('ENOSPC', publishes('B_0'));
    await link.exchange();
    const a = await link.until(link.a.recover(link.b).report);
    expect(a).toMatchObject({ outcome: 'pending', exchange: undefined, error: { code: 'storage' } });
    expect(exitCodeOf(a)).toBe(14);
  });

  test('ends a responder where an fsync failed', async () => {
    await leavePending(link.a);
    link.b.fault = failing('EIO', ({ name, path }) => name === 'syncFolder' && path.endsWith('/responder'));
    const b = await link.until(link.b.respond([link.a]).report);
    expect(b).toMatchObject({ outcome: 'pending', error: { code: 'suspect' } });
  });
});

test('a responder clears key material away that was half staged, though nobody comes', async () => {
  const voting = link.a.initiate(link.b);
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK') voting.kill();
    return 'deliver';
  };
  await link.both(voting, link.b.respond([link.a]));
  const role = join(link.b.state, 'A', 'responder');
  // What a run is killed in the middle of that has heard ABORT.
  for (const name of readdirSync(role))
    renameSync(join(role, name), join(role, name.replace('staged', 'aborted')));
  const half = join(role, `${'0'.repeat(32)}.tmp-${'1'.repeat(32)}`);
  mkdirSync(half);
  writeFileSync(join(half, 'key'), 'half of a key');
  await link.until(link.b.respond([link.a], { timeoutMs: 1_000 }).report);
  expect(readdirSync(role)).toEqual([]);
  expect(await link.b.records(link.a)).toEqual([]);
  expect(readdirSync(join(link.b.state, '.trash'))).toEqual([]);
});

test('a responder that has voted and cannot read its records any more is in doubt', async () => {
  const answering = link.b.respond([link.a]);
  const asking = link.a.initiate(link.b);
  link.network.wire = ({ type }) => {
    if (type !== 'SYN_ACK') return 'deliver';
    writeFileSync(`${link.b.state}/SUSPECT`, 'boot-1');
    return 'cut';
  };
  const [, b] = await link.both(asking, answering);
  expect(b).toMatchObject({ outcome: 'in-doubt', error: { code: 'suspect' } });
});
