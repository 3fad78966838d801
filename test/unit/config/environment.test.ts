import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../../src/config/environment.js';
import { Problems } from '../../../src/config/problems.js';

function problemsOf(env: Record<string, string>): string | undefined {
  const problems = new Problems();
  readEnvironment(env, '/cwd', problems);
  const error = problems.error();
  if (error !== undefined) expect(error.code).toBe('config');
  return error?.message;
}

describe('the environment', () => {
  it('gives settings by key, with the variable and the current folder', () => {
    const problems = new Problems();
    const layer = readEnvironment({ QKD_SYNC_KME_URL: 'https://kme', PATH: '/bin' }, '/cwd', problems);
    expect(problems.isEmpty).toBe(true);
    expect([...layer]).toEqual([
      [
        'kme.url',
        { text: 'https://kme', origin: { kind: 'environment', subject: 'QKD_SYNC_KME_URL', folder: '/cwd' } },
      ],
    ]);
  });

  it('counts an empty variable as unset, an unknown one too', () => {
    const problems = new Problems();
    expect(readEnvironment({ QKD_SYNC_SITE: '', QKD_SYNC_SIET: '' }, '/cwd', problems).size).toBe(0);
    expect(problems.isEmpty).toBe(true);
  });

  it('leaves the name of the file and the variables of hooks alone', () => {
    expect(problemsOf({ QKD_SYNC_CONFIG: 'x', QKD_SYNC_HOOK_FILE: 'y' })).toBeUndefined();
  });

  it.each([
    ['QKD_SYNC_KME_URI', 'QKD_SYNC_KME_URI is not known: did you mean QKD_SYNC_KME_URL?'],
    ['QKD_SYNC_CONFG', 'QKD_SYNC_CONFG is not known: did you mean QKD_SYNC_CONFIG?'],
    ['QKD_SYNC_PASSWORD', 'QKD_SYNC_PASSWORD is not known: no setting has that variable'],
    ['QKD_SYNC_PEERS', 'QKD_SYNC_PEERS is not known: no setting has that variable'],
  ])('refuses %s without its value', (name, message) => {
    expect(problemsOf({ [name]: 'hush' })).toBe(message);
  });
});
