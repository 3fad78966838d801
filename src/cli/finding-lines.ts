/** What `doctor` has found as a table: aligned, and as readable without colours as with them. */
import { counted, type Finding, type Standing } from '../doctor/finding.js';

export type Paint = Readonly<Record<Standing, (text: string) => string>>;

const LABEL: Readonly<Record<Standing, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: 'skipped',
};
const LABEL_WIDTH = Math.max(...Object.values(LABEL).map((label) => label.length));

/** One line for each, below what it is about, and at the end how many of each kind there are. */
export function findingLines(findings: readonly Finding[], paint: Paint): string[] {
  const nameWidth = Math.max(...findings.map(({ name }) => name.length));
  const margin = ' '.repeat(2 + LABEL_WIDTH + 2 + nameWidth + 2);
  const lines: string[] = [];
  let about: string | undefined;
  for (const finding of findings) {
    const { standing, name, text, hint } = finding;
    if (finding.about !== about) lines.push(finding.about);
    about = finding.about;
    const [first = '', ...more] = text.split('\n');
    lines.push(
      `  ${paint[standing](LABEL[standing].padEnd(LABEL_WIDTH))}  ${name.padEnd(nameWidth)}  ${first}`,
    );
    for (const line of more) lines.push(margin + line);
    if (hint !== undefined) lines.push(`${margin}hint: ${hint}`);
  }
  return [...lines, '', tally(findings)];
}

function tally(findings: readonly Finding[]): string {
  const count = (standing: Standing): number =>
    findings.filter((finding) => finding.standing === standing).length;
  return [
    `${count('ok')} ok`,
    counted(count('warning'), 'warning'),
    `${count('failed')} failed`,
    `${count('skipped')} skipped`,
  ].join(', ');
}
