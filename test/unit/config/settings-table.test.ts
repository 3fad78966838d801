import { describe, expect, it } from '@jest/globals';
import { PEER_SETTINGS } from '../../../src/config/peer-table.js';
import { flagName, helpOf, variableName } from '../../../src/config/setting.js';
import type { Setting } from '../../../src/config/setting.js';
import { SETTINGS } from '../../../src/config/settings-table.js';
import { flagsOf, SWITCHES } from '../../../src/config/switch-table.js';

const WITH_FLAG = [...Object.values(SETTINGS), ...Object.values(SWITCHES)];
const ALL: readonly Setting<unknown>[] = [...WITH_FLAG, ...Object.values(PEER_SETTINGS)];

function expectUnique(names: readonly string[]): void {
  expect([...new Set(names)]).toEqual(names);
}

describe('the table of settings', () => {
  it('has each key, flag and variable once', () => {
    expectUnique(WITH_FLAG.map(({ key }) => key));
    expectUnique(WITH_FLAG.map(({ flag }) => flagName(flag)));
    expectUnique(Object.values(SETTINGS).map(({ key }) => variableName(key)));
  });

  it.each(ALL.map((setting) => [setting.key, setting] as const))('is in order about %s', (_key, setting) => {
    if (setting.default !== undefined) {
      expect(setting.shape.parse(setting.default, { folder: '/', home: '/home/q' })).toBeDefined();
    }
    expect(setting.commands.length).toBeGreaterThan(0);
    expect(setting.help).toMatch(/^[^A-Z|].*[^.]$/);
    expect(setting.shape.expected).not.toContain('|');
  });

  it('names variables after keys', () => {
    expect(variableName('kme.url')).toBe('QKD_SYNC_KME_URL');
    expect(variableName('exchange.ackTimeout')).toBe('QKD_SYNC_EXCHANGE_ACK_TIMEOUT');
    expect(variableName('lockWait')).toBe('QKD_SYNC_LOCK_WAIT');
  });

  it('gives each command its flags', () => {
    const names = (command: Parameters<typeof flagsOf>[0]): string[] =>
      flagsOf(command).map(({ flag }) => flagName(flag));
    expect(names('initiate')).toEqual(
      expect.arrayContaining(['--peer', '--kme', '--index', '--count', '--json']),
    );
    expect(names('initiate')).not.toContain('--listen');
    expect(names('respond')).toEqual(
      expect.arrayContaining(['--listen', '--serve', '--timeout', '--peer-site']),
    );
    expect(names('respond')).not.toContain('--peer');
    expect(names('recover')).toEqual(expect.arrayContaining(['--peer', '--ca', '--lock-wait']));
    expect(names('recover')).not.toContain('--kme');
    expect(names('status')).toEqual([
      '--json',
      '--quiet',
      '--verbose',
      '--log-format',
      '--config',
      '--site',
      '--keys',
      '--state',
    ]);
    expect(names('demo')).toEqual(['--quiet', '--verbose', '--log-format']);
  });

  it('tells the default in the help', () => {
    expect(helpOf(SETTINGS.kmeTimeout)).toBe('how long each request to the KME may take (default: 10s)');
    expect(helpOf(SETTINGS.sae)).toMatch(/\(default: the site ID\)$/);
    expect(helpOf(SETTINGS.site)).toBe('the ID of this site');
  });
});
