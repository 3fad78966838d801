/** Works through a list, some at a time, as long as it is `going`. Rejects with the first failure. */
export async function inParallel<T, R>(
  items: readonly T[],
  jobs: number,
  work: (item: T) => Promise<R>,
  progress: (done: number) => void = () => undefined,
  going: () => boolean = () => true,
): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && going(); item = queue.shift()) {
      results.push(await work(item));
      progress(results.length);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}
