import { describe, expect, it } from '@jest/globals';
import { parseYaml, type Tree } from '../../../src/config/yaml-tree.js';

function parse(text: string): { tree: Tree | undefined; complaints: string[] } {
  const complaints: string[] = [];
  const tree = parseYaml(text, (line, message) => complaints.push(`${line}: ${message}`));
  return { tree, complaints };
}

describe('YAML', () => {
  it('becomes texts as written, with their lines', () => {
    const { tree, complaints } = parse(
      'site: 007\n# talk\nkme:\n  url: "https://kme"\n  wait:\nlist: [NO]\n',
    );
    expect(complaints).toEqual([]);
    expect(tree).toEqual({
      kind: 'section',
      entries: [
        { key: 'site', line: 1, value: { kind: 'text', text: '007', plain: true } },
        {
          key: 'kme',
          line: 3,
          value: {
            kind: 'section',
            entries: [
              { key: 'url', line: 4, value: { kind: 'text', text: 'https://kme', plain: false } },
              { key: 'wait', line: 5, value: { kind: 'nothing' } },
            ],
          },
        },
        { key: 'list', line: 6, value: { kind: 'list', items: [{ kind: 'text', text: 'NO', plain: true }] } },
      ],
    });
  });

  it.each(['', '# talk only\n', '---\n'])('%j holds nothing', (text) => {
    expect(parse(text)).toEqual({ tree: { kind: 'nothing' }, complaints: [] });
  });

  it('keeps an empty text apart from nothing', () => {
    expect(parse('""').tree).toEqual({ kind: 'text', text: '', plain: false });
  });

  it.each([
    ['a: 1\nb: [1\n', /^3: is not valid YAML: flow sequence in block collection must be/],
    ['a: 1\n\tb: 2\n', /^2: is not valid YAML: /],
    ['a: b: c\n', /^1: is not valid YAML: nested mappings/],
    ['a: 1\nb: !!int 1\n', /^2: is not valid YAML: unresolved tag/],
  ])('is refused where it is broken: %j', (text, complaint) => {
    const { tree, complaints } = parse(text);
    expect(tree).toBeUndefined();
    expect(complaints[0]).toMatch(complaint);
  });

  it.each([
    ['a: 1\nb: 2\na: 3\n', '3: sets a again: it is set in line 1'],
    ['a: &x 1\nb: *x\n', '2: has an alias (*): aliases are not supported'],
    ['a: 1\n[b]: 2\n', '2: has a key that is not text'],
    ['a: 1\n---\nb: 2\n', '2: starts a second document: only one is read'],
  ])('gives what is usable of %j', (text, complaint) => {
    const { tree, complaints } = parse(text);
    expect(complaints).toEqual([complaint]);
    const [first] = tree?.kind === 'section' ? tree.entries : [];
    expect(first).toMatchObject({ key: 'a', line: 1 });
  });

  it.each([
    ['sequences', '['.repeat(50_000)],
    ['maps', '{a: '.repeat(20_000)],
    ['dashes', '- '.repeat(20_000)],
    ['keys', '? '.repeat(20_000)],
    ['lines', Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ])('is refused where its %s are nested too deep to be parsed safely', (_what, text) => {
    const { tree, complaints } = parse(text);
    expect(tree).toBeUndefined();
    expect(complaints).toEqual([expect.stringMatching(/: is nested more than 16 deep$/)]);
  });

  it('expands no aliases', () => {
    const levels = Array.from({ length: 9 }, (_, at) => `k${at + 1}: &k${at + 1} [${`*k${at}, `.repeat(9)}]`);
    const { tree, complaints } = parse(['k0: &k0 x', ...levels, 'last: *k9'].join('\n'));
    expect(tree).toMatchObject({ kind: 'section' });
    expect(complaints).toHaveLength(82);
    expect(new Set(complaints.map((line) => line.replace(/^\d+: /, '')))).toEqual(
      new Set(['has an alias (*): aliases are not supported']),
    );
  });
});
