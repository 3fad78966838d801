/** The command that the end-to-end tests start: see test/end-to-end/global-setup.ts. */

export interface CliCommand {
  readonly node: string;
  readonly bin: string;
}

export function packedCli(): CliCommand {
  const { QKD_SYNC_E2E_BIN: bin, QKD_SYNC_E2E_NODE: node = process.execPath } = process.env;
  if (bin === undefined) throw new Error('there is no package to test: has globalSetup not run?');
  return { node, bin };
}
