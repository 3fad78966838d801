/**
 * An error as Node makes them of a failed system call, without a stack: most operations that fail do so in the normal
 * course of things, and a simulated second has a million of them.
 */
export class DiskError implements Error {
  readonly name = 'Error';
  readonly message: string;
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, path: string) {
    this.message = `${code}: ${syscall} '${path}'`;
    this.code = code;
    this.syscall = syscall;
  }
}

Object.setPrototypeOf(DiskError.prototype, Error.prototype);
