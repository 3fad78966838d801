import { describe, expect, test } from '@jest/globals';
import { HELP, parseOptions } from '../../simulation/options.js';

describe('the arguments of the simulation', () => {
  test('are told apart', () => {
    expect(parseOptions(['--seeds', '5', '--from', '7', '--jobs', '3'])).toMatchObject({
      seeds: 5,
      from: 7,
      jobs: 3,
      exhaustive: undefined,
    });
    expect(parseOptions(['--exhaustive', 'pairs'])).toMatchObject({ exhaustive: 'pairs', seeds: undefined });
  });

  test('may ask for help, which names each of them', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
    for (const name of ['seeds', 'from', 'exhaustive', 'bugs', 'bug', 'ci', 'trace', 'jobs', 'json'])
      expect(HELP).toContain(`--${name}`);
  });

  test.each([
    [[], 'nothing to be run'],
    [['--seeds', 'many'], '--seeds many: expected a whole number, 1 or more'],
    [['--seeds', '0'], '--seeds 0'],
    [['--ci', '--jobs', '1.5'], '--jobs 1.5'],
    [['--seeds', '1', '--from', '-1'], 'from'],
    [['--exhaustive', 'some'], '--exhaustive some: expected single, recovery or pairs'],
    [['--sedes', '1'], '--sedes'],
  ])('%j make no sense', (args, why) => {
    expect(() => parseOptions(args)).toThrow(why);
  });
});
