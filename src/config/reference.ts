/** docs/configuration.md, made from the table of settings. */
import { CONFIG_VARIABLE } from './environment.js';
import { PEER_SETTINGS } from './peer-table.js';
import { variableName } from './setting.js';
import type { Setting } from './setting.js';
import { SETTINGS } from './settings-table.js';
import { SWITCHES } from './switch-table.js';

/** Every setting of the file, so that the page has one example that is complete. */
const EXAMPLE = `site: A
sae: sae-a
keys: ~/.qkd/qnl/qll/keys
state: ~/.qkd/qnl/qll/exchanges
kme:
  url: https://kme-a.example:8443 # or a list, tried in order
  ca: kme-ca.pem
  cert: sae-a.pem
  key: sae-a.key # or pkcs12: sae-a.p12 with passphraseFile: sae-a.pass
  serverName: kme-a # when the KME's certificate bears another name than its URL
  method: post # or get
  encMethod: post # where enc_keys and dec_keys differ
  decMethod: post
  timeout: 10s
  wait: 30s
  maxPerRequest: 128
  parallel: 4
  extensionMandatory: [{ route_type: direct }] # as the KME's manual says, and seldom needed
  extensionOptional: [{ priority: 1 }]
  insecure: false
channel: { ca: sites-ca.pem, cert: a.pem, key: a.key, requireHybrid: false }
peers:
  B: { address: b.example:7000, sae: sae-b, name: B } # or, without channel:, pskFile: a-to-b.psk
exchange: { count: 1, size: 256, format: hex, naming: index, ackTimeout: 30s, deadline: 10m }
onCommit: systemctl --user reload my-tunnel # see operations.md
onCommitTimeout: 30s
lockWait: 10s
connectWait: 10s
listen: 7000
timeout: 60s
`;

/** What stands for what, where qkd-net is set up (qkd-net.ts). */
const QKD_NET = [
  ['`siteId`', '`site`'],
  ['`base`, `qnlSiteKeyLoc`', '`keys`: `$HOME/<base>/<qnlSiteKeyLoc>`'],
  ['`qllBlockSz`', '`exchange.count`'],
  ['`keyBytesSz`', '`exchange.size`: 8 × `keyBytesSz`'],
  [
    '`adjacent` of `$HOME/<base>/<routeConfigLoc>`, if that is there',
    "`peers`, the host as `address`; the port is the router's, ours stays 7000",
  ],
];

/** The whole page. */
export function renderReference(): string {
  const shown = Object.values(SETTINGS);
  const sections = [...new Set(shown.map(({ key }) => sectionOf(key)))];
  return `# Configuration

<!-- Made from the table of settings in src/config: change that, and see CONTRIBUTING.md for how to write this page. -->

A setting comes from the first of these that has it:

1. a flag,
2. a variable of the environment, \`QKD_SYNC_\` and the key in capitals (\`${variableName('exchange.ackTimeout')}\` is \`exchange.ackTimeout\`); an empty one counts as unset,
3. the configuration file,
4. qkd-net's own configuration, where it is there (see [below](#a-host-that-is-set-up-for-qkd-net)),
5. the default.

The configuration file is the first of

1. the file that \`--config\` names, which must exist,
2. the file that \`${CONFIG_VARIABLE}\` names, which must exist,
3. \`~/.qkd/qkd-sync.yaml\`,
4. \`$XDG_CONFIG_HOME/qkd-sync/config.yaml\`, where \`$XDG_CONFIG_HOME\` is \`~/.config\` unless set,
5. \`/etc/qkd-sync/config.yaml\`.

Relative paths in the file are relative to the file's own folder, those of flags and variables to the current folder; \`~/\` is the home folder everywhere. Secrets are in files of their own, never in flags, variables or the configuration file.

Whatever is unknown or wrong, in any of these places, is an error that names the place and what was expected, all mistakes at once: exit code 78, or 64 where only flags are wrong.

## A host that is set up for qkd-net

Where \`~/.qkd/qnl/config.yaml\` exists, what it says is the default, whichever configuration file is read; then this one needs nothing but \`kme\` and how the sites authenticate.

${renderTable(['qkd-net', 'here'], QKD_NET)}

Own settings win, in \`peers\` field by field. What else is in the two files is ignored; a value of another kind there, or a file that cannot be read, is an error as in our own. Where the sites authenticate by \`pskFile\`, \`respond\` answers an adjacent site only once \`peers\` names its file. \`qkd-sync doctor\` compares what is set with what the key router reads.

## Example

\`\`\`yaml
${EXAMPLE}\`\`\`

## Settings

${sections.map((section) => renderSection(section, shown)).join('\n\n')}

### Peers

In the file only: \`peers\` has one section for each peer, named by its site ID.

${renderTable(
  ['Key', 'Value', 'Default', 'Meaning'],
  Object.values(PEER_SETTINGS).map((setting) => [
    code(`peers.<site>.${setting.key}`),
    setting.shape.expected,
    defaultOf(setting),
    setting.help,
  ]),
)}

Sites authenticate in exactly one way: by certificates (\`channel.ca\`, \`channel.cert\` and \`channel.key\`, mutual TLS) or by a \`pskFile\` for each peer (TLS-PSK). With \`--insecure\` they do not, which is for loopback addresses only.

## Flags of a single run

These have neither a variable nor a place in the file.

${renderTable(
  ['Flag', 'Value', 'Default', 'Meaning', 'Commands'],
  Object.values(SWITCHES).map((setting) => [
    code(setting.flag),
    setting.flag.includes('<') ? setting.shape.expected : '',
    defaultOf(setting),
    setting.help,
    setting.commands.join(', '),
  ]),
)}
`;
}

/** `kme` of `kme.url`; empty for settings at the top. */
function sectionOf(key: string): string {
  return key.includes('.') ? key.slice(0, key.indexOf('.')) : '';
}

const TITLES: Readonly<Record<string, string>> = {
  '': 'General',
  kme: 'The KME of this site',
  channel: 'The channel between the sites',
  exchange: 'The exchange',
};

function renderSection(
  section: string,
  all: readonly (Setting<unknown> & { readonly flag: string })[],
): string {
  const rows = all
    .filter(({ key }) => sectionOf(key) === section)
    .map((setting) => [
      code(setting.key),
      `${code(setting.flag)}<br>${code(variableName(setting.key))}`,
      setting.shape.expected,
      defaultOf(setting),
      setting.help,
      setting.commands.join(', '),
    ]);
  const columns = ['Key', 'Flag, variable', 'Value', 'Default', 'Meaning', 'Commands'];
  return `### ${TITLES[section] ?? section}\n\n${renderTable(columns, rows)}`;
}

function defaultOf({ default: value, defaultNote }: Setting<unknown>): string {
  return value === undefined ? (defaultNote ?? '').replace(/<\w+>\S*/, code) : code(value);
}

function code(text: string): string {
  return `\`${text}\``;
}

/** With columns of even width, as the formatter of this repository has them. */
export function renderTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}
