/** What happens, said to whoever listens: the command line prints it, the simulator records it, tests read it. */

/** `step` is the handshake step by step (`-v`); the others are for every run. */
export type LogLevel = 'step' | 'info' | 'warn' | 'error';

/** Values that go with an event, for machines. Key bytes never. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * Says one thing.
 * @param event a stable kebab-case name (`syn-sent`, `file-saved`) for machines
 * @param message the same for people: lower case, no full stop, one line
 */
export type Log = (level: LogLevel, event: string, message: string, fields?: LogFields) => void;
