/** A peer that answers, but late: how long the initiator waits for it in all. */
import { describe, expect, test } from '@jest/globals';
import { decodeMessage, encodeMessage } from '../../../src/handshake/codec.js';
import type { Message } from '../../../src/handshake/message.js';
import type { Channel } from '../../../src/peer/channel.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import { once } from '../../support/memory-network.js';
import { expectTrue } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});

const IN_DOUBT = ['1', '2', '3', '4'].map((digit) => digit.repeat(32));

/** In doubt about four exchanges, and takes its time over each. */
function answerLate(channel: Channel, lateMs: number): void {
  const hear = (message: Message): void => {
    if (message.type === 'HELLO') {
      const ids = { inDoubt: IN_DOUBT, done: [], resolved: [], more: false, foreign: 0, alarms: 0 };
      const rest = { nextIndex: 0, ready: false, deadlineMs: 600_000 };
      channel.send(encodeMessage({ type: 'STATUS', stateId: '0'.repeat(32), ...ids, ...rest }));
    }
    if (message.type !== 'ABORT') return;
    const { id } = message;
    link.clock.after(lateMs, () => {
      channel.send(encodeMessage({ type: 'ABORT_OK', id }));
    });
  };
  channel.attach({
    frame: (text) => {
      hear(decodeMessage(text));
    },
    closed: () => undefined,
  });
}

describe('exchange.deadline', () => {
  test('bounds what settling takes of all that earlier runs have left open', async () => {
    const listener = await link.network.listen('B')((channel) => {
      answerLate(channel, 9_000);
    });
    const startedAt = link.clock.monotonic();
    const a = await link.until(link.a.recover(link.b, { terms: { deadlineMs: 12_000 } }).report);
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-lost' } });
    expect(link.clock.monotonic() - startedAt).toBe(12_000);
    expect(link.network.types().filter((type) => type === 'ABORT')).toHaveLength(2);
    await link.until(listener.close());
    link.clock.advance(9_000);
  });

  test('does not shorten x after a decision of its own', async () => {
    link.network.wire = once('FIN', 'lose');
    const answering = link.b.respond([link.a]);
    await link.until(link.b.log.nth('listening'));
    const startedAt = link.clock.monotonic();
    const a = await link.until(link.a.initiate(link.b, { terms: { deadlineMs: 2_000 } }).report);
    expect(a.outcome).toBe('unconfirmed');
    expect(link.clock.monotonic() - startedAt).toBe(30_000);
    await expectTrue(a, link.a, link.b);
    await link.until(answering.report);
  });

  test('does not shorten the wait for the answer to an abort of its own', async () => {
    const answering = link.b.respond([link.a]);
    await link.until(link.b.log.nth('listening'));
    link.network.wire = ({ type }) => (type === 'SYN_ACK' || type === 'ABORT_OK' ? 'lose' : 'deliver');
    const startedAt = link.clock.monotonic();
    const a = await link.until(link.a.initiate(link.b, { terms: { deadlineMs: 2_000 } }).report);
    expect(a.outcome).toBe('aborted');
    expect(link.clock.monotonic() - startedAt).toBe(12_000);
    await link.until(answering.report);
  });
});
