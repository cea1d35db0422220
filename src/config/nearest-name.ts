/** The candidate that a person most likely meant by `name`, or undefined when none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance && distance < candidate.length) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** A sentence about a key that is not known, with the nearest known one: "unknown key `backend`; did you mean `backends`?" */
export function unknownKey(key: string, known: Iterable<string>): string {
  const nearest = nearestName(key, known);
  return `unknown key \`${key}\`${nearest === undefined ? "" : `; did you mean \`${nearest}\`?`}`;
}

/**
 * Insertions, removals, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment), given up
 * as `limit` when there are that many. Names longer than 128 are compared by their beginnings.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  const [from, to] = [a.slice(0, 128), b.slice(0, 128)];
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let distance = Math.min(previous[column - 1]! + (same ? 0 : 1), previous[column]! + 1, current[column - 1]! + 1);
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1])
        distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      current.push(distance);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[to.length]!;
}
