const MAX_PAGE = 1_000;

/** How many rows a page has that was asked to have `limit`. */
export function pageSize(limit: number): number {
  return Math.max(1, Math.min(MAX_PAGE, limit));
}
