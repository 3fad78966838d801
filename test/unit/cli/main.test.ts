import { describe, expect, it } from '@jest/globals';
import { main } from '../../../src/cli/main.js';
import { recordingStreams } from '../../support/recording-streams.js';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const streams = recordingStreams(argv);
  const code = await main(streams);
  return { code, stdout: streams.said.stdout(), stderr: streams.said.stderr() };
}

describe('main', () => {
  it('ends 0 after help', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, stderr: '' });
    expect(await run()).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    [['nonsense'], "qkd-sync: unknown command 'nonsense'\nhint: see qkd-sync --help\n"],
    [['status', '--nonsense'], "qkd-sync: unknown option '--nonsense'\nhint: see qkd-sync status --help\n"],
    [['status', '--log-format', 'xml'], 'qkd-sync: --log-format: expected human or json\n'],
  ])('%j ends 64 with a hint', async (argv, stderr) => {
    expect(await run(...argv)).toEqual({ code: 64, stdout: '', stderr });
  });

  it('prints the object of a failed run where --json stands among the mistakes', async () => {
    const { code, stdout } = await run('initiate', '--nonsense', '--json');
    expect(code).toBe(64);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'aborted', error: { code: 'usage', exit: 64 } });
  });

  it('prints the object of the command that failed', async () => {
    const { stdout } = await run('resolve', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ exchange: null, choice: null, error: { code: 'usage' } });
  });

  it('logs JSON where --log-format json stands among the mistakes', async () => {
    for (const words of [['--log-format', 'json'], ['--log-format=json']]) {
      const { stderr } = await run('initiate', ...words, '--nonsense');
      expect(JSON.parse(stderr)).toMatchObject({
        level: 'error',
        event: 'usage',
        hint: expect.any(String) as unknown,
      });
    }
  });

  it('ends 78 where the configuration is missing', async () => {
    const { code, stdout, stderr } = await run('initiate', '--peer', 'B');
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('qkd-sync: site is not set: expected ');
  });
});
