/** A terminal in memory: what was written to it, and what of that can be seen. */
import { clearLine, cursorTo, moveCursor, type Direction } from 'node:readline';
import { Writable } from 'node:stream';

export class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly columns = 100;
  written = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('utf8');
    done();
  }

  cursorTo(x: number): boolean {
    return cursorTo(this, x);
  }

  moveCursor(dx: number, dy: number): boolean {
    return moveCursor(this, dx, dy);
  }

  clearLine(direction: Direction): boolean {
    return clearLine(this, direction);
  }

  /** The lines on the screen. */
  get screen(): string[] {
    return screenOf(this.written);
  }
}

/** What a terminal shows of `written`: of its control sequences, those that move the cursor and erase lines. */
export function screenOf(written: string): string[] {
  const lines = [''];
  let [row, column] = [0, 0];
  for (const [token] of written.matchAll(/\u001b\[[?\d;]*[A-Za-z]|[\s\S]/gu)) {
    const [, count = '', command] = /^\u001b\[(\d*)(?:;\d+)?([A-Za-z])$/.exec(token) ?? [];
    if (command === 'G') column = Number(count || '1') - 1;
    else if (command === 'A') row = Math.max(0, row - Number(count || '1'));
    else if (command === 'K' && count !== '') lines[row] = '';
    else if (command === 'K') lines[row] = (lines[row] ?? '').slice(0, column);
    else if (token.startsWith('\u001b')) continue;
    else if (token === '\r') column = 0;
    else if (token === '\n') [row, column] = [row + 1, 0];
    else {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = `${line.slice(0, column)}${token}${line.slice(column + 1)}`;
      column += 1;
    }
    lines[row] ??= '';
  }
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '');
}
