import { describe, expect, it } from '@jest/globals';
import { examineDns, examineTcp, targetOf } from '../../../src/doctor/reach.js';
import type { Bound } from '../../../src/doctor/within.js';
import { coded, doctorPorts } from '../../support/doctor-ports.js';
import { ManualClock } from '../../support/manual-clock.js';

const KME = new URL('https://kme.example:8443/prefix');
const never = (): Promise<never> => new Promise(() => undefined);

const bound = (more: Partial<Bound> = {}): Bound => ({
  clock: new ManualClock(),
  timeoutMs: 10_000,
  signal: new AbortController().signal,
  ...more,
});

const { network } = doctorPorts();

describe('the KME', () => {
  it.each([
    ['https://kme.example', { host: 'kme.example', port: 443 }],
    ['http://localhost', { host: 'localhost', port: 80 }],
    ['https://[2001:db8::1]:8443/x', { host: '2001:db8::1', port: 8443 }],
  ])('of %s listens at %j', (url, target) => {
    expect(targetOf(new URL(url))).toEqual(target);
  });
});

describe('DNS', () => {
  it('is ok with all the addresses', async () => {
    const lookup = (): Promise<string[]> => Promise.resolve(['192.0.2.1', '2001:db8::1']);
    expect(await examineDns(KME, { ...network, lookup }, bound())).toEqual({
      name: 'kme-dns',
      about: 'https://kme.example:8443/prefix',
      standing: 'ok',
      text: 'kme.example is 192.0.2.1, 2001:db8::1',
    });
  });

  it('is not asked for an address', async () => {
    const asked = { ...network, lookup: never };
    const finding = await examineDns(new URL('https://[::1]:8443'), asked, bound());
    expect(finding).toMatchObject({ standing: 'ok', text: '::1 is an address' });
  });

  it.each(['ENOTFOUND', 'EAI_AGAIN'])('has failed after %s', async (code) => {
    const lookup = (): Promise<never> => Promise.reject(coded(code));
    expect(await examineDns(KME, { ...network, lookup }, bound())).toMatchObject({
      standing: 'failed',
      fault: 'unreachable',
      text: "the KME's host name cannot be resolved (DNS) (https://kme.example:8443)",
      hint: 'check kme.url, and that the KME runs',
    });
  });

  it('has failed when the time is over', async () => {
    const clock = new ManualClock();
    const finding = examineDns(KME, { ...network, lookup: never }, bound({ clock }));
    expect(clock.advanceToNext()).toBe(true);
    expect(await finding).toMatchObject({
      standing: 'failed',
      fault: 'unreachable',
      text: 'no answer in 10 s',
    });
    expect(clock.pending).toBe(0);
  });

  it('ends where the process is told to stop', async () => {
    const stop = new AbortController();
    const clock = new ManualClock();
    const finding = examineDns(KME, { ...network, lookup: never }, bound({ clock, signal: stop.signal }));
    stop.abort();
    await expect(finding).rejects.toMatchObject({ code: 'interrupted' });
    expect(clock.pending).toBe(0);
    const late = examineDns(KME, { ...network, lookup: never }, bound({ signal: stop.signal }));
    await expect(late).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('TCP', () => {
  it('is ok with the address that took it', async () => {
    expect(await examineTcp(KME, network, bound())).toMatchObject({
      name: 'kme-tcp',
      standing: 'ok',
      text: '192.0.2.1 takes connections on port 8443',
    });
  });

  it('has failed where it is refused', async () => {
    const connect = (): Promise<never> => Promise.reject(coded('ECONNREFUSED'));
    expect(await examineTcp(KME, { ...network, connect }, bound())).toMatchObject({
      standing: 'failed',
      fault: 'unreachable',
      text: 'the KME refuses connections (https://kme.example:8443)',
    });
  });

  it('lets go of the connection when the time is over', async () => {
    const clock = new ManualClock();
    let given: AbortSignal | undefined;
    const connect = (_: unknown, signal: AbortSignal): Promise<never> => {
      given = signal;
      return never();
    };
    const finding = examineTcp(KME, { ...network, connect }, bound({ clock, timeoutMs: 250 }));
    clock.advanceToNext();
    expect(await finding).toMatchObject({ standing: 'failed', text: 'no answer in 250 ms' });
    expect(given?.aborted).toBe(true);
  });
});
