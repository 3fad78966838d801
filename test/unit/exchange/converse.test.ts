import { expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { converse } from '../../../src/exchange/converse.js';
import type { CommonAction, CommonEvent, Step } from '../../../src/handshake/machine.js';
import type { Channel, ChannelEvents } from '../../../src/peer/channel.js';
import { ManualClock } from '../../support/manual-clock.js';
import { RecordingLog } from '../../support/recording-log.js';

/** A channel in the hand of the test. */
class HeldChannel implements Channel {
  readonly peer = 'A';
  readonly remote = 'A:1';
  readonly security = { method: 'none', version: undefined, suite: undefined, group: undefined } as const;
  readonly sent: string[] = [];
  closed = 0;
  events: ChannelEvents | undefined;

  attach(events: ChannelEvents): void {
    this.events = events;
  }

  send(frame: string): void {
    this.sent.push(frame);
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

interface Work {
  readonly do: 'toil';
}
type Machine = Step<readonly CommonEvent[], Work | CommonAction>;

const ID = '0123456789abcdef0123456789abcdef';
const FIN = JSON.stringify({ type: 'FIN', id: ID });

/** A machine that waits, keeps what it is told, and ends after `count` events. */
function listening(count: number, first?: Work) {
  const channel = new HeldChannel();
  const clock = new ManualClock();
  const interruption = new AbortController();
  const wait = { do: 'wait', for: 'order' } as const;
  const next = (heard: readonly CommonEvent[], event: CommonEvent): Machine => {
    const state = [...heard, event];
    return { state, actions: state.length >= count ? [{ do: 'end' }] : [] };
  };
  const work: { perform: (cancel: AbortSignal) => Promise<CommonEvent> } = {
    perform: () => Promise.reject(new Error('no work')),
  };
  const begin = (): Promise<readonly CommonEvent[]> =>
    converse<readonly CommonEvent[], Work, CommonEvent>({
      channel,
      start: { state: [], actions: first === undefined ? [wait] : [first] },
      next,
      perform: (_work, cancel) => work.perform(cancel),
      patienceMs: () => 1_000,
      clock,
      log: new RecordingLog().log,
      signal: interruption.signal,
    });
  return { channel, clock, interruption, work, begin };
}

test('brings what happens in order, and closes the channel at the end', async () => {
  const { channel, clock, begin } = listening(2);
  const heard = begin();
  channel.events?.frame(FIN);
  channel.events?.closed(undefined);
  expect(await heard).toMatchObject([
    { on: 'message', message: { type: 'FIN', id: ID } },
    { on: 'closed', error: undefined },
  ]);
  expect(channel.closed).toBe(1);
  expect(clock.pending).toBe(0);
});

test('a wait is over all events until the next wait', async () => {
  const { channel, clock, begin } = listening(2);
  const heard = begin();
  clock.advance(600);
  channel.events?.frame(FIN);
  await new Promise(setImmediate);
  clock.advance(400);
  expect(await heard).toMatchObject([{ on: 'message' }, { on: 'timeout' }]);
});

test('what is no message is malformed', async () => {
  const { channel, begin } = listening(1);
  const heard = begin();
  channel.events?.frame('{"type":"FIN","key":"secret"}');
  expect(await heard).toEqual([{ on: 'malformed', reason: 'a FIN that has no id' }]);
});

test('too much at once is malformed, and takes no more memory', async () => {
  const { channel, begin } = listening(1);
  const heard = begin();
  for (let n = 0; n < 100; n += 1) channel.events?.frame(FIN);
  const [event] = await heard;
  expect(event?.on).toBe('malformed');
});

test('a signal is an event, once, before or during the conversation', async () => {
  const early = listening(1);
  early.interruption.abort();
  expect(await early.begin()).toEqual([{ on: 'interrupted' }]);

  const late = listening(1);
  const heard = late.begin();
  late.interruption.abort();
  expect(await heard).toEqual([{ on: 'interrupted' }]);
});

test('work that fails is an event', async () => {
  const { work, begin } = listening(1, { do: 'toil' });
  const error = new QkdSyncError('storage', 'no room');
  work.perform = () => Promise.reject(error);
  expect(await begin()).toEqual([{ on: 'failed', error }]);
});

test('work with a bug in it rejects, and closes the channel', async () => {
  const { channel, work, begin } = listening(1, { do: 'toil' });
  work.perform = () => Promise.reject(new TypeError('a bug'));
  await expect(begin()).rejects.toThrow('a bug');
  expect(channel.closed).toBe(1);
});

/** Work that ends only where it is given up, as the KME client's does. */
const untilAborted = (cancel: AbortSignal): Promise<CommonEvent> =>
  new Promise((_resolve, reject) => {
    cancel.addEventListener('abort', () => {
      reject(new QkdSyncError('interrupted', 'interrupted'));
    });
  });

test('work is given up when the connection goes, and that is no interruption', async () => {
  const { channel, work, begin } = listening(1, { do: 'toil' });
  work.perform = untilAborted;
  const heard = begin();
  const lost = new QkdSyncError('peer-lost', 'the connection broke');
  channel.events?.closed(lost);
  expect(await heard).toEqual([{ on: 'failed', error: lost }]);
});

test('work is given up when the process is told to stop', async () => {
  const { interruption, work, begin } = listening(1, { do: 'toil' });
  work.perform = untilAborted;
  const heard = begin();
  interruption.abort();
  expect(await heard).toMatchObject([{ on: 'failed', error: { code: 'interrupted' } }]);
});
