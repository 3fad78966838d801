/** What `kme` says without running KMEs; test/end-to-end/demo-and-kme.test.ts runs them. */
import { describe, expect, it } from '@jest/globals';
import { main } from '../../../src/cli/main.js';
import { DIALECTS } from '../../../src/kme-pair/dialects/catalogue.js';
import { recordingStreams } from '../../support/recording-streams.js';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const streams = recordingStreams(['kme', ...argv]);
  const code = await main(streams);
  return { code, stdout: streams.said.stdout(), stderr: streams.said.stderr() };
}

describe('kme', () => {
  it('--dialects lists all of them, and needs no folder', async () => {
    const { code, stdout, stderr } = await run('--dialects');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'standard',
      ...DIALECTS.map(({ name }) => name),
    ]);
    for (const { does } of DIALECTS) expect(stdout).toContain(`  ${does}\n`);
  });

  it.each([
    [['--dialect', 'get-only'], '--dir'],
    [['--dir', '/nowhere/at-all', '--dialect', 'nosuch'], 'there is no dialect nosuch'],
    [['--dir', '/nowhere/at-all', '--dialect', 'get-only,nosuch'], 'hint: choose among standard, '],
    [['--dir', '/nowhere/at-all', '--dialect', 'cuts,cuts,cuts'], "expected at most two, A's and B's"],
  ])('%j ends 64', async (argv, words) => {
    const { code, stdout, stderr } = await run(...argv);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(words);
  });
});
