/** What becomes of one place of a sorted list: `item` stands there afterwards, or nothing. */
export interface SortedEdit<Key, Item> {
  readonly key: Key;
  readonly item: Item | undefined;
}

/** Edits up to here are put into a copy one by one; with more, list and edits are merged. */
const MAX_ONE_BY_ONE = 64;

/**
 * The list after the edits, both in the order of `compare`, which compares an item of the list with the key of an edit. The list is
 * copied as it is, which costs about a nanosecond an item (100,000 items: a tenth of a millisecond), and all else costs what the
 * edits are long. See docs/decisions/0021-changes-in-place.md.
 */
export function editSorted<Key, Item>(
  list: readonly Item[],
  edits: readonly SortedEdit<Key, Item>[],
  compare: (item: Item, key: Key) => number,
): Item[] {
  if (edits.length === 1) return editOne(list, edits[0]!, compare);
  if (edits.length > MAX_ONE_BY_ONE) return merge([...list], edits, compare);
  const after = [...list];
  for (const { key, item } of edits.toReversed()) {
    const at = lowerBound(after, key, compare);
    const isThere = at < after.length && compare(after[at]!, key) === 0;
    if (item === undefined) after.splice(at, isThere ? 1 : 0);
    else if (isThere) after[at] = item;
    else after.splice(at, 0, item);
  }
  return after;
}

/** The copy is made with the room that it needs: one that grows afterwards is copied again, and is half as long again. */
function editOne<Key, Item>(
  list: readonly Item[],
  { key, item }: SortedEdit<Key, Item>,
  compare: (item: Item, key: Key) => number,
): Item[] {
  const at = lowerBound(list, key, compare);
  const isThere = at < list.length && compare(list[at]!, key) === 0;
  if (item === undefined) return list.toSpliced(at, isThere ? 1 : 0);
  return isThere ? list.with(at, item) : list.toSpliced(at, 0, item);
}

/** The index of the first item that is not before the key. */
export function lowerBound<Key, Item>(
  list: readonly Item[],
  key: Key,
  compare: (item: Item, key: Key) => number,
  from = 0,
): number {
  let low = from;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge<Key, Item>(
  list: readonly Item[],
  edits: readonly SortedEdit<Key, Item>[],
  compare: (item: Item, key: Key) => number,
): Item[] {
  const after: Item[] = [];
  let next = 0;
  for (const { key, item } of edits) {
    const end = lowerBound(list, key, compare, next);
    while (next < end) after.push(list[next++]!);
    if (next < list.length && compare(list[next]!, key) === 0) next += 1;
    if (item !== undefined) after.push(item);
  }
  while (next < list.length) after.push(list[next++]!);
  return after;
}
