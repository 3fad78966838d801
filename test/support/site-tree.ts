/** What a site must have on disk, all of it, as `diskTree` shows it. */

export interface SiteDisk {
  readonly peer: 'A' | 'B';
  /** In which role it has ever tried to stage an exchange; it has a folder for each. */
  readonly roles?: readonly ('initiator' | 'responder')[];
  /** The key files in place. */
  readonly saved?: readonly string[];
  /** The last numbers of files that are done with, two of them at most. */
  readonly marks?: readonly number[];
  /** Records, each with its role, its state and the files in it: `initiator/<id>.committed beta exchange.json`. */
  readonly records?: readonly string[];
  /** Names that are reserved. */
  readonly names?: readonly string[];
}

export function siteTree({
  peer,
  roles = [],
  saved = [],
  marks = [],
  records = [],
  names = [],
}: SiteDisk): string[] {
  const state = `exchanges/${peer}`;
  const lines = ['exchanges/ 700', 'exchanges/.trash/ 700', 'exchanges/state-id 600', `${state}/ 700`];
  for (const role of roles) lines.push(`${state}/${role}/ 700`);
  if (roles.length > 0) lines.push(`${state}/names/ 700`);
  for (const name of names) lines.push(`${state}/names/${name}/ 700`, `${state}/names/${name}/<id> 600`);
  if (marks.length > 0) lines.push(`${state}/index/ 700`);
  for (const mark of marks) lines.push(`${state}/index/${mark} 600`);
  for (const record of records) {
    const [folder = '', ...files] = record.split(' ');
    lines.push(`${state}/${folder}/ 700`, ...files.map((file) => `${state}/${folder}/${file} 600`));
  }
  if (saved.length > 0) lines.push('keys/ 700', `keys/${peer}/ 700`);
  for (const name of saved) lines.push(`keys/${peer}/${name} 600`);
  return lines.sort();
}

/** After nothing but whole exchanges: files 0 to `count` - 1. */
export function settledTree(peer: 'A' | 'B', count = 1): string[] {
  return siteTree({
    peer,
    roles: [peer === 'B' ? 'initiator' : 'responder'],
    saved: Array.from({ length: count }, (_, index) => `${peer}_${index}`),
    marks: [count - 2, count - 1].filter((mark) => mark >= 0),
  });
}
