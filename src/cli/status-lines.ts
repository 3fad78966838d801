/** What `status` says, line by line, and what each standing means. */
import type { Standing } from '../exchange/outcome.js';
import type { HookStatus, PeerStatus, SiteStatus } from '../exchange/status.js';

export const MEANING: Readonly<Record<Standing, string>> = {
  alarm: 'in alarm: an operator must look, see docs/operations.md',
  pending: 'committed but not yet in place here; the next run finishes it',
  'in-doubt': 'in doubt: voted for, no decision heard; it settles at the next contact',
  unconfirmed: 'saved here, not yet confirmed by the peer; it settles at the next contact',
};

const HOOK_MEANING: Readonly<Record<HookStatus['standing'], string>> = {
  due: 'its hook waits, to be run at the next contact, or is being run',
  early: 'its hook waits until the file is in place',
  unreadable: 'the note of its hook cannot be read, and it is not run: see docs/operations.md',
};

export function statusLines({ keys, state, peers, unread }: SiteStatus): string[] {
  const lines = [`keys   ${keys}`, `state  ${state}`];
  if (peers.length + unread.length === 0) lines.push('no exchange has been made here yet');
  for (const peer of peers) lines.push(...peerLines(peer));
  for (const { peer } of unread) lines.push(`peer ${peer ?? '?'}: its records cannot be read`);
  return lines;
}

const GIVEN_UP = 'aborted by an operator here; the record stays until the peer has heard of it, or --forget';

function peerLines({ peer, nextIndex, open, givenUp, hooks, moreHooks }: PeerStatus): string[] {
  const standing = open.length === 0 ? 'nothing open' : `${open.length} open`;
  const lines = [
    `peer ${peer}: next file number ${nextIndex}, ${standing}${hookCount(hooks.length + moreHooks)}`,
  ];
  for (const { id, role, standing: how, name, reason } of open) {
    const why = reason === undefined ? '' : ` (${reason})`;
    lines.push(`  ${id}  ${role}  ${name ?? '?'}  ${MEANING[how]}${why}`);
  }
  for (const { id, role, name } of givenUp) lines.push(`  ${id}  ${role}  ${name ?? '?'}  ${GIVEN_UP}`);
  for (const { exchange, role, standing: how, file } of hooks)
    lines.push(`  ${exchange}  ${role}  ${file ?? '?'}  ${HOOK_MEANING[how]}`);
  if (moreHooks > 0) lines.push(`  and ${moreHooks} more hooks`);
  return lines;
}

/** Nothing where there is none. */
function hookCount(count: number): string {
  if (count === 0) return '';
  return count === 1 ? ', 1 hook not run to its end' : `, ${count} hooks not run to their end`;
}
