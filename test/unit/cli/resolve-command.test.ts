import { userInfo, type UserInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { whoIsThis } from '../../../src/cli/resolve-command.js';

describe('who has decided', () => {
  it('is the user, the machine, and who became that user', () => {
    const user = (): UserInfo<string> => ({ ...userInfo(), username: 'op', uid: 7 });
    expect(whoIsThis({}, user)).toMatch(/^op \(uid 7\) at ./);
    expect(whoIsThis({ SUDO_USER: 'eve' }, user)).toMatch(/^op \(uid 7\), sudo by eve at ./);
  });

  it('is a number where nobody has given the user a name, as in a container', () => {
    const nobody = (): never => {
      throw new Error('uv_os_get_passwd returned ENOENT');
    };
    expect(whoIsThis({}, nobody)).toMatch(new RegExp(`^uid ${process.geteuid?.() ?? ''} at .`));
  });
});
