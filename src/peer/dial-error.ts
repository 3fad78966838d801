/**
 * Why dialling a peer failed, in qkd-sync's codes. The same error of Node means different things at different
 * steps, so the step decides first.
 *
 * `peer-unreachable`: nobody, or nobody yet; trying again can help. `peer-refused`: one of the two does not
 * accept the other's credentials. `protocol`: something answers that is not qkd-sync.
 */
import type { TLSSocket } from 'node:tls';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { ChannelAuth, PeerIdentity } from './credentials.js';
import { reasonOf } from './reason.js';

/** How far the attempt has come. */
export type DialStep = 'resolve' | 'connect' | 'tls' | 'upgrade';

export interface DialTarget {
  readonly site: string;
  readonly peer: PeerIdentity;
  /** `host:port` as asked for. */
  readonly where: string;
  readonly kind: ChannelAuth['kind'];
}

/** What to look at when one of the two does not accept the other. */
function refusalHint({ site, peer, kind }: DialTarget, why: string): string {
  const hint =
    kind === 'psk'
      ? `both sites need the same key: peers.${peer.site}.pskFile here, peers.${site}.pskFile there`
      : `at ${peer.site}, channel.ca must hold the CA of our channel.cert, and peers.${site}.name a name in it`;
  // The one alert of TLS for "we have nothing in common": no way to authenticate, or no group.
  return why.includes('handshake failure')
    ? `${hint}; both must use certificates or both pskFile, and both Nodes must have what channel.requireHybrid demands`
    : hint;
}

export function refused(target: DialTarget, why: string, cause?: unknown): QkdSyncError {
  const { peer, where } = target;
  return new QkdSyncError(
    'peer-refused',
    `${peer.site} at ${where} and this site do not accept each other: ${why}`,
    {
      hint: refusalHint(target, why),
      cause,
    },
  );
}

export function unreachable(target: DialTarget, why: string, cause?: unknown, hint?: string): QkdSyncError {
  return new QkdSyncError('peer-unreachable', `cannot reach ${target.peer.site} at ${target.where}: ${why}`, {
    hint,
    cause,
  });
}

function notOurs(target: DialTarget, why: string, cause?: unknown): QkdSyncError {
  return new QkdSyncError(
    'protocol',
    `what listens at ${target.where} is not qkd-sync as we speak it: ${why}`,
    {
      hint: 'check host and port, and that both sites run with or both without --insecure',
      cause,
    },
  );
}

/** The answer to our upgrade was an ordinary HTTP one. */
export function httpError(target: DialTarget, status: number): QkdSyncError {
  if (status === 401 || status === 403) return refused(target, `the peer does not know us (HTTP ${status})`);
  if (status >= 500) return unreachable(target, `it is not ready (HTTP ${status})`);
  return notOurs(target, `it answers with HTTP ${status}`);
}

function resolveError(target: DialTarget, error: unknown): QkdSyncError {
  const code = systemCode(error) ?? describe(error);
  return unreachable(
    target,
    `no address found (${code})`,
    error,
    `is ${target.peer.site} a site of peers:? a peer that is none is taken for a host; else see peers.${target.peer.site}.address`,
  );
}

function connectError(target: DialTarget, error: unknown): QkdSyncError {
  const code = systemCode(error);
  return unreachable(
    target,
    code ?? describe(error),
    error,
    code === 'ECONNREFUSED' ? `is "qkd-sync respond" running at ${target.peer.site}?` : undefined,
  );
}

function isAlert(error: unknown): boolean {
  return systemCode(error)?.startsWith('ERR_SSL_') === true && reasonOf(error).includes('alert');
}

/** The peer's end is not TLS 1.3: an error of our own side's parser, or the one alert that says so. */
function isOtherProtocol(error: unknown): boolean {
  const code = systemCode(error) ?? '';
  if (!code.startsWith('ERR_SSL_')) return false;
  return !isAlert(error) || code.endsWith('ALERT_PROTOCOL_VERSION');
}

function untrusted(target: DialTarget, error: unknown): QkdSyncError {
  if (target.kind === 'psk') return refused(target, 'it shows a certificate, not the pre-shared key', error);
  const { site, name } = target.peer;
  return new QkdSyncError(
    'peer-refused',
    `the certificate of ${site} at ${target.where} is not trusted: ${describe(error)}`,
    {
      hint: `channel.ca must hold the CA that issued the certificate of ${name}`,
      cause: error,
    },
  );
}

function tlsError(target: DialTarget, error: unknown, socket: TLSSocket | undefined): QkdSyncError {
  if (isOtherProtocol(error)) return notOurs(target, reasonOf(error), error);
  if (isAlert(error)) return refused(target, reasonOf(error), error);
  // Set by Node where it ended the handshake because of the certificate; the types hide that it can be missing.
  const verdict: unknown = socket?.authorizationError;
  if (verdict !== undefined && verdict !== null) return untrusted(target, error);
  return unreachable(target, 'it hung up during the TLS handshake', error);
}

function upgradeError(target: DialTarget, error: unknown): QkdSyncError {
  const code = systemCode(error);
  // In TLS 1.3 a client has finished before the server looks at its certificate: the refusal comes here, as an
  // alert, or as a mere hang-up.
  if (isAlert(error)) return refused(target, reasonOf(error), error);
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') return hungUp(target, error);
  return notOurs(target, describe(error), error);
}

/** The connection ended between TLS and the answer to our upgrade. */
function hungUp(target: DialTarget, cause?: unknown): QkdSyncError {
  return target.kind === 'certificates'
    ? refused(target, 'it hung up after TLS, as one does that refuses our certificate', cause)
    : unreachable(target, 'it hung up before its answer', cause);
}

/** Translates what Node or ws reported; QkdSyncErrors pass. */
export function dialError(
  target: DialTarget,
  step: DialStep,
  error: unknown,
  socket: TLSSocket | undefined,
): QkdSyncError {
  if (error instanceof QkdSyncError) return error;
  switch (step) {
    case 'resolve':
      return resolveError(target, error);
    case 'connect':
      return connectError(target, error);
    case 'tls':
      return tlsError(target, error, socket);
    case 'upgrade':
      return upgradeError(target, error);
  }
}

/** The connection closed at `step` with no error. */
export function dialHangUp(target: DialTarget, step: DialStep): QkdSyncError {
  return step === 'upgrade' ? hungUp(target) : unreachable(target, 'it hung up');
}
