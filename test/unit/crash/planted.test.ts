/** Each bug that is planted in the compiled program must fit the code as it is: one that fits nowhere plants nothing. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLANTED } from '../../crash/planted.js';
import { POWER_BUGS } from '../../powercut/planted.js';

const DIST = join(__dirname, '../../../dist');

test.each([...PLANTED, ...POWER_BUGS].map(({ name, patches }) => [name, patches] as const))(
  '%s',
  (_name, patches) => {
    for (const { file, from, to } of patches) {
      const text = readFileSync(join(DIST, file), 'utf8');
      expect({ file, from, times: text.split(from).length - 1 }).toEqual({ file, from, times: 1 });
      expect(to).not.toBe(from);
    }
  },
);
