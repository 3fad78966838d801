/** docs/kme.md, made from the dialects of the KME pair and the rows of the conformance tests. */
import { DIALECTS, STANDARD } from '../../src/kme-pair/dialects/catalogue.js';
import { TOPICS, type Topic } from '../../src/kme-pair/dialects/dialect.js';
import { renderTable } from '../../src/config/reference.js';
import { ROWS, type End, type Row, type RowSettings } from './rows.js';

const TITLES: Readonly<Record<Topic, string>> = {
  request: 'What it takes for a request',
  method: 'Methods',
  'key length': 'Length of keys',
  'key ID': 'Key IDs',
  'number of keys': 'Number of keys',
  order: 'Order of keys',
  container: 'The key container',
  'out of keys': 'Out of keys',
  'unknown key': 'Unknown key IDs',
  'lost answer': 'Lost answers',
  'error body': 'Error bodies',
  status: 'Status',
  SAE: 'SAEs',
  TLS: 'TLS',
  URL: 'Addresses',
  HTTP: 'HTTP',
};

export function renderKmePage(): string {
  return `# KMEs

<!-- Made from the dialects in src/kme-pair/dialects and the rows in test/conformance: change those, and see CONTRIBUTING.md for how to write this page. -->

What qkd-sync does with each kind of ETSI GS QKD 014 server that is known from the field. Each kind is a dialect of the KME pair, so that it can be tried: \`qkd-sync kme --dir DIR --dialect get-only,standard\` gives site A a KME that knows GET only and site B one that keeps to the standard; \`dry-503+error-html\` combines two; \`qkd-sync kme --dialects\` lists them. The tests run an exchange for each line of these tables, with the dialect at either site.

The rules behind them:

- A no is asked again for \`kme.wait\`: an HTTP error, or no keys at all. It has burned nothing. What no time can mend ends at once: a method that the KME does not take, a client certificate that it refuses.
- A request that went out and was never answered in full is not repeated, because nobody knows whether the keys were handed out. They count as lost, the log says so, and the next run takes new ones.
- An answer that is not exactly what was asked for is not used: other lengths, missing, repeated or foreign key IDs, anything malformed. Its keys are lost too.
- \`respond\` makes sure that its KME can be reached before it lets the initiator draw a key.
- In every case in which not both sites end with 0, neither site has a key file, and nothing is left after the next contact.

## How to read the tables

"At A" is an exchange where the KME of the initiator has the dialect, "at B" one where the KME of the responder has it; each shows the exit code of \`initiate\` and then that of \`respond\` ([Operations](operations.md) says what they mean). A responder whose initiator could not draw a key goes on waiting until its \`--timeout\`: 75. The settings are those of the site whose KME it is. The words are the part of its message that says what happened; a hint that names the setting to look at comes with it.

## The standard

${renderRows(ROWS.filter(({ dialect }) => dialect === STANDARD))}

${TOPICS.map(renderTopic).join('\n\n')}
`;
}

function renderTopic(topic: Topic): string {
  const dialects = DIALECTS.filter((dialect) => dialect.topic === topic);
  const names = dialects.map(({ name }) => name);
  const what = renderTable(
    ['Dialect', 'The KME'],
    dialects.map(({ name, does }) => [code(name), does]),
  );
  // A combination belongs to its last dialect: that is the one it is about.
  const rows = ROWS.filter(({ dialect }) => names.includes(dialect.split('+').at(-1) ?? ''));
  return `## ${TITLES[topic]}\n\n${what}\n\n${renderRows(rows)}`;
}

function renderRows(rows: readonly Row[]): string {
  return renderTable(
    ['Dialect', 'Settings', 'At A', 'At B', 'Words'],
    rows.map((row) => [
      code(row.dialect),
      settingsOf(row.settings ?? {}),
      exitsOf(row.atA),
      exitsOf(row.atB),
      [...new Set([row.atA.says, row.atB.says])].filter((says) => says !== undefined).join('<br>'),
    ]),
  );
}

function exitsOf({ a, b }: End): string {
  return `${a}, ${b}`;
}

function settingsOf({ slash, ipv6, saes, ...settings }: RowSettings): string {
  return [
    ...Object.entries(settings).map(([name, value]) => code(`kme.${name}: ${value}`)),
    ...(slash === true ? [`${code('kme.url')} with a slash at its end`] : []),
    ...(ipv6 === true ? [`${code('kme.url')} with an IPv6 address`] : []),
    ...(saes === undefined ? [] : [`${code(`sae: ${saes[0]}`)} for A, ${code(`sae: ${saes[1]}`)} for B`]),
  ].join('<br>');
}

function code(text: string): string {
  return `\`${text}\``;
}
