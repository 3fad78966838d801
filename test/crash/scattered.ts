/** An order in which any first part is spread over the whole: what there is no time for is then no group of its own. */

const GOLDEN = (Math.sqrt(5) - 1) / 2;

export function scattered<Item>(items: readonly Item[]): Item[] {
  // Those of which this fraction is least lie evenly between the others, however many of them are taken.
  const place = (at: number): number => (at * GOLDEN) % 1;
  return items
    .map((item, at) => ({ item, place: place(at) }))
    .sort((one, two) => one.place - two.place)
    .map(({ item }) => item);
}
