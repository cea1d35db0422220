/** Text as any database keeps it: well-formed, and without the zero character that PostgreSQL does not have. */
export function storedText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}
