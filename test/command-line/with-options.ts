/** How the suites that are commands of their own take their arguments. */

/**
 * Runs a suite with its options; answers its exit code: 64, with the help, where they make no sense, 0 where help was asked for.
 * @param parse answers undefined where help is asked for, and throws where the arguments make no sense
 */
export async function withOptions<Options>(
  parse: () => Options | undefined,
  help: string,
  run: (options: Options) => Promise<number>,
): Promise<number> {
  let options: Options | undefined;
  try {
    options = parse();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${help}`);
    return 64;
  }
  if (options !== undefined) return run(options);
  process.stdout.write(help);
  return 0;
}
