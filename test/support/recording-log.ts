/** A log that keeps what it hears, and can wait for a line. */
import type { LogFields, LogLevel } from '../../src/base/log.js';

export interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields;
}

export class RecordingLog {
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  readonly log = (level: LogLevel, event: string, message: string, fields: LogFields = {}): void => {
    this.lines.push({ level, event, message, fields });
    for (const wake of this.#waiting) wake();
  };

  /** The `count`th line of this event. */
  async nth(event: string, count = 1): Promise<LogLine> {
    for (;;) {
      const line = this.all(event)[count - 1];
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** All lines of this event. */
  all(event: string): LogLine[] {
    return this.lines.filter((candidate) => candidate.event === event);
  }
}
