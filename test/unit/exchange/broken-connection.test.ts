/** The connection breaks, or a process dies, at each message in turn: afterwards both sites have the file, or neither. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MessageType } from '../../../src/handshake/message.js';
import { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';
import { expectSettled, expectTrue } from '../../support/truth.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

const MESSAGES: readonly MessageType[] = ['HELLO', 'STATUS', 'SYN', 'SYN_ACK', 'ACK', 'FIN', 'END', 'END_OK'];
/** From A's decision on there is no way back. */
const DECIDED: readonly MessageType[] = ['ACK', 'FIN', 'END', 'END_OK'];

describe.each(MESSAGES)('at %s', (type) => {
  test.each(['cut', 'deliver-and-cut', 'lose', 'mute', 'vanish'] as const)(
    'the wire does "%s"',
    async (fate) => {
      link.network.wire = once(type, fate);
      const [a, b] = await link.exchange();

      await expectTrue(a, link.a, link.b);
      await expectTrue(b, link.b, link.a);
      const committed = DECIDED.includes(type) || (type === 'SYN_ACK' && fate === 'deliver-and-cut');
      // A word that is lost on a connection that holds is waited for; one that is lost with it is repeated.
      const unheard =
        ((type === 'ACK' || type === 'FIN') && (fate === 'lose' || fate === 'mute')) ||
        (type === 'FIN' && fate === 'vanish');
      expect(a.outcome).toBe(unheard ? 'unconfirmed' : committed ? 'saved' : 'aborted');
      expect(link.locks.held.size).toBe(0);
      expect(link.clock.pending).toBe(0);

      link.network.wire = SOUND_WIRE;
      const [again] = await link.recover();
      expect(again).toMatchObject({ outcome: 'settled', error: undefined });
      await expectSettled(link);
      expect(Object.keys(await link.a.files(link.b))).toEqual(committed ? ['B_0'] : []);

      const [next] = await link.exchange();
      expect(next).toMatchObject({ outcome: 'saved', exchange: { index: committed ? 1 : 0 } });
      await expectSettled(link);
    },
  );

  test.each(['A', 'B'] as const)('%s is killed before it is sent', async (victim) => {
    const answering = link.b.respond([link.a]);
    const asking = link.a.initiate(link.b);
    const killed = victim === 'A' ? asking : answering;
    let times = 0;
    link.network.wire = (passing) => {
      if (passing.type === type && (times += 1) === 1) killed.kill();
      return 'deliver';
    };
    const survivor = victim === 'A' ? answering : asking;
    const report = await link.until(survivor.report);
    if (victim === 'A') await expectTrue(report, link.b, link.a);
    else await expectTrue(report, link.a, link.b);
    await link.until(killed.report);

    link.network.wire = SOUND_WIRE;
    // The next exchange settles what is open before it begins.
    const [a, b] = await link.exchange();
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    await expectSettled(link);
    const committed = DECIDED.includes(type);
    expect(Object.keys(await link.a.files(link.b))).toEqual(committed ? ['B_0', 'B_1'] : ['B_0']);
  });
});

describe('after its decision A', () => {
  test('repeats it on a new connection within x, and the one-shot responder takes it', async () => {
    link.network.wire = once('ACK', 'cut');
    const [a, b] = await link.exchange();
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    expect(a.exchange?.id).toBe(b.exchange?.id);
    expect(b.exchange?.progress).toBe('committed');
    expect(link.network.types(2)).toEqual([
      'HELLO',
      'STATUS',
      'ACK',
      'FIN',
      'END',
      'END_OK',
      'HELLO',
      'STATUS',
    ]);
  });

  test('comes back while B still believes in the old connection: the new one supersedes it', async () => {
    link.network.wire = once('ACK', 'vanish');
    const [a, b] = await link.exchange();
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    expect(link.b.log.all('superseded')).toHaveLength(1);
    await expectSettled(link);
  });

  test('waits x for a lost FIN on a connection that holds, then saves all the same', async () => {
    link.network.wire = ({ type }) => (type === 'FIN' ? 'lose' : 'deliver');
    const asking = link.a.initiate(link.b);
    const answering = link.b.respond([link.a]);
    const a = await link.until(asking.report);
    expect(a).toMatchObject({ outcome: 'unconfirmed', exchange: { progress: 'committed' } });
    expect(link.a.log.all('ack-to-exit')[0]?.fields['ms']).toBe(30_000);
    const b = await link.until(answering.report);
    expect(b.outcome).toBe('unconfirmed');
  });

  test('saves after x where the peer is gone', async () => {
    const answering = link.b.respond([link.a]);
    const asking = link.a.initiate(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'ACK') answering.kill();
      return 'deliver';
    };
    const a = await link.until(asking.report);
    expect(a).toMatchObject({ outcome: 'unconfirmed' });
    expect(link.a.log.all('ack-to-exit')[0]?.fields['ms']).toBe(30_000);
    await expectTrue(a, link.a, link.b);
  });

  test('saves after x where the peer lets itself be reached and says nothing', async () => {
    link.network.wire = ({ type, connection }) =>
      type === 'ACK' ? 'cut' : connection > 1 ? 'lose' : 'deliver';
    const asking = link.a.initiate(link.b);
    link.b.respond([link.a], { serve: true });
    const a = await link.until(asking.report);
    expect(a).toMatchObject({ outcome: 'unconfirmed' });
    expect(link.a.log.all('ack-to-exit')[0]?.fields['ms']).toBe(30_000);
  });
});
