/** --on-commit, as an operator uses it: a command of the shell on both sites. */
import { describe, expect, it } from '@jest/globals';
import { rm, writeFile } from 'node:fs/promises';
import type { CliEnd } from '../support/cli-process.js';
import type { CliSite, TwoSites } from '../support/cli-site.js';
import { packedCli } from '../support/packed-cli.js';
import { siteSuite } from '../support/site-suite.js';

const { make } = siteSuite();

/** Writes down what it is told, and whether the file is there. */
const TELL = `{ echo "$QKD_SYNC_HOOK_FILE|$QKD_SYNC_HOOK_PEER|$QKD_SYNC_HOOK_EXCHANGE|$QKD_SYNC_HOOK_INDEX|$QKD_SYNC_HOOK_ROLE|$QKD_SYNC_HOOK_FORMAT|$(test -f "$QKD_SYNC_HOOK_FILE" && echo saved)"; cat; echo; } >> told`;

interface Told {
  readonly words: readonly string[];
  readonly keyIds: unknown;
}

/** What the hooks have told so far; one that has not yet said all of it counts for nothing. */
async function toldAt(site: CliSite): Promise<Told[]> {
  const said = await site.read('told').catch(() => '');
  const lines = said
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '');
  const told: Told[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [words = '', keyIds = ''] = lines.slice(at, at + 2);
    told.push({ words: words.split('|'), keyIds: JSON.parse(keyIds) as unknown });
  }
  return told;
}

async function exchange(sites: TwoSites, atA: string[], atB: string[]): Promise<{ a: CliEnd; b: CliEnd }> {
  const responder = await sites.b.respond(atB);
  const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...atA]);
  return { a, b: await responder.ended };
}

interface Output {
  readonly exchange: string;
  readonly keyIds: readonly string[];
  readonly hooks: unknown;
}

const outputOf = ({ stdout }: CliEnd): Output => JSON.parse(stdout) as Output;

/** No note is left. */
async function expectNoNotes(...sites: CliSite[]): Promise<void> {
  for (const site of sites) {
    expect(
      (await site.tree()).filter((line) => line.includes('/hooks') && !line.endsWith('/hooks/ 700')),
    ).toEqual([]);
  }
}

describe('--on-commit', () => {
  it('is run on both sites, once the file is saved, with all that it is told', async () => {
    const sites = await make({ b: { onCommit: TELL, exchange: { count: 3, format: 'json' } } });
    const { a, b } = await exchange(
      sites,
      ['--json', '--count', '3', '--format', 'base64', '--on-commit', TELL],
      ['--json'],
    );
    expect([a.code, b.code, a.stderr, b.stderr]).toMatchObject([0, 0, expect.anything(), expect.anything()]);
    const { exchange: id, keyIds } = outputOf(a);
    const fileAtA = sites.a.path('keys/B/B_0');
    const fileAtB = sites.b.path('keys/A/A_0');
    expect(await toldAt(sites.a)).toEqual([
      { words: [fileAtA, 'B', id, '0', 'initiator', 'base64', 'saved'], keyIds },
    ]);
    expect(await toldAt(sites.b)).toEqual([
      { words: [fileAtB, 'A', id, '0', 'responder', 'json', 'saved'], keyIds },
    ]);
    expect(outputOf(a).hooks).toEqual([{ exchange: id, file: fileAtA, exitCode: 0 }]);
    expect(outputOf(b).hooks).toEqual([{ exchange: id, file: fileAtB, exitCode: 0 }]);
    await expectNoNotes(sites.a, sites.b);
  });

  it('that fails ends with 12, is heard, and leaves the file; it is not run again', async () => {
    const sites = await make();
    const failing = ['--on-commit', 'echo what I say; echo once >> told; exit 3'];
    const { a, b } = await exchange(sites, failing, failing);
    expect([a.code, b.code]).toEqual([12, 12]);
    expect(a.stdout).toBe(`${sites.a.path('keys/B/B_0')}\n`);
    expect(a.stderr).toContain('qkd-sync: hook: what I say\n');
    expect(a.stderr).toContain(`qkd-sync: the hook for ${sites.a.path('keys/B/B_0')} ended with 3\n`);
    const responder = await sites.b.respond(failing);
    const recover = await sites.a.run(['recover', '--peer', `B:${responder.port}`, ...failing]);
    expect([recover.code, (await responder.ended).code]).toEqual([0, 0]);
    expect([await sites.a.read('told'), await sites.b.read('told')]).toEqual(['once\n', 'once\n']);
    await expectNoNotes(sites.a, sites.b);
  });

  it('that takes longer than --on-commit-timeout is ended with all that it has started', async () => {
    const sites = await make();
    const slow = ['--on-commit', 'sleep 600 & wait', '--on-commit-timeout', '300ms', '--json'];
    const startedAt = performance.now();
    const { a, b } = await exchange(sites, slow, []);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect([a.code, b.code]).toEqual([12, 0]);
    expect(outputOf(a).hooks).toMatchObject([{ timedOut: true }]);
  });

  it('may leave something in the background that holds its streams', async () => {
    const sites = await make();
    const { a } = await exchange(sites, ['--on-commit', 'sleep 15 & echo $! > told'], []);
    expect(a.code).toBe(0);
    process.kill(Number(await sites.a.read('told')), 'SIGKILL');
  });

  it('comes from the environment too, where it does not disturb a hook that runs qkd-sync', async () => {
    const sites = await make();
    const { node, bin } = packedCli();
    const responder = await sites.b.respond();
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`], {
      env: { QKD_SYNC_ON_COMMIT: `"${node}" "${bin}" status > told` },
    });
    expect([a.code, (await responder.ended).code]).toEqual([0, 0]);
    expect(await sites.a.read('told')).toContain('peer B: next file number 1, nothing open');
  });
});

describe('a site that is killed', () => {
  it('while its hook is run: the next contact runs it again, though the file has been taken away', async () => {
    const sites = await make();
    const responder = await sites.b.respond();
    const stuck = ['--on-commit', `${TELL}; echo begun >&2; exec sleep 600`];
    const initiator = sites.a.start(['initiate', '--peer', `B:${responder.port}`, ...stuck]);
    await initiator.said(/hook: begun/);
    // Its hook lives on without it.
    initiator.kill('SIGKILL');
    await initiator.ended;
    expect((await responder.ended).code).toBe(0);
    await rm(sites.a.path('keys/B/B_0'));
    const again = await sites.b.respond();
    const recover = await sites.a.run([
      'recover',
      '--peer',
      `B:${again.port}`,
      '--json',
      '--on-commit',
      TELL,
    ]);
    expect([recover.code, (await again.ended).code]).toEqual([0, 0]);
    const [first, second, ...more] = await toldAt(sites.a);
    expect(first?.words.at(-1)).toBe('saved');
    expect(second?.words).toEqual([...(first?.words.slice(0, -1) ?? []), '']);
    expect(second?.keyIds).toEqual(first?.keyIds);
    expect(more).toEqual([]);
    await expectNoNotes(sites.a);
  });

  it('and told to stop while its hook is run ends with 12, and runs it again', async () => {
    const sites = await make();
    const responder = await sites.b.respond([
      '--serve',
      '--on-commit',
      `${TELL}; echo begun >&2; exec sleep 600`,
    ]);
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`]);
    expect(a.code).toBe(0);
    await responder.process.said(/hook: begun/);
    responder.process.kill('SIGTERM');
    expect((await responder.ended).code).toBe(12);
    const again = await sites.b.respond(['--on-commit', TELL, '--timeout', '500ms']);
    expect((await again.ended).code).toBe(75);
    expect((await toldAt(sites.b)).map(({ words }) => words[3])).toEqual(['0', '0']);
    await expectNoNotes(sites.b);
  });
});

it('of a peer that was renamed waits, is seen, and is run under the old name, with nobody there', async () => {
  const sites = await make();
  const stuck = ['--on-commit', 'echo begun $$ >&2; exec sleep 600'];
  const responder = await sites.b.respond(['--serve', ...stuck]);
  const initiator = sites.a.start(['initiate', '--peer', `B:${responder.port}`, ...stuck]);
  for (const process_ of [initiator, responder.process]) {
    const [, hook] = await process_.said(/hook: begun (\d+)/);
    process_.kill('SIGKILL');
    await process_.ended;
    // It has lived on.
    process.kill(Number(hook), 'SIGKILL');
  }
  const renamings = [
    { site: sites.a, from: 'B', to: 'C', role: 'initiator', exit: 69 },
    { site: sites.b, from: 'A', to: 'AA', role: 'responder', exit: 75 },
  ] as const;
  for (const { site, from, to, role, exit } of renamings) {
    const config = (await site.read('.qkd/qkd-sync.yaml')).replace(`  ${from}:\n`, `  ${to}:\n`);
    await writeFile(site.path('.qkd/qkd-sync.yaml'), config);
    const file = site.path(`keys/${from}/${from}_0`);
    const tree = await site.tree();
    const { code, stdout } = await site.run(['status', '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { peers: [{ peer: from, open: [], hooks: [{ role, standing: 'due', file }], moreHooks: 0 }] },
    ]);
    expect((await site.run(['status'])).stdout).toContain(`${role}  ${file}  its hook waits`);
    expect(await site.tree()).toEqual(tree);

    const named = ['--peer-site', from, '--on-commit', TELL];
    const run =
      role === 'initiator'
        ? ['recover', '--peer', 'localhost:1', '--connect-wait', '0s', ...named]
        : ['respond', '--listen', '127.0.0.1:0', '--timeout', '1s', ...named];
    expect((await site.run(run)).code).toBe(exit);
    expect((await toldAt(site)).map(({ words }) => [words[0], words.at(-1)])).toEqual([[file, 'saved']]);
    expect((await site.run(['status'])).stdout).not.toContain('hook');
    await expectNoNotes(site);
  }
});

it('hooks of several files run in the order of the files, and the exchanges go on meanwhile', async () => {
  const sites = await make();
  const responder = await sites.b.respond([
    '--serve',
    '--on-commit',
    `until test -e go; do sleep 0.1; done; ${TELL}`,
  ]);
  const args = ['initiate', '--peer', `B:${responder.port}`];
  for (let n = 0; n < 3; n += 1) expect((await sites.a.run(args)).code).toBe(0);
  expect(await toldAt(sites.b)).toEqual([]);
  await writeFile(sites.b.path('go'), '');
  while ((await toldAt(sites.b)).length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
  responder.process.kill('SIGTERM');
  await responder.ended;
  expect((await toldAt(sites.b)).map(({ words }) => words[3])).toEqual(['0', '1', '2']);
});
