import { z } from "zod";

const STATUSES = 600;

/** 404, "404", a class such as 4xx or a range such as 400-499. */
export const statusCode = z.union(
  [
    z.int().min(100).max(599),
    z
      .string()
      .regex(/^(?:[1-5]xx|[1-5]\d\d)$/)
      .or(z.string().regex(/^[1-5]\d\d-[1-5]\d\d$/)),
  ],
  "must be a status such as 404, a class such as 5xx or a range such as 400-499",
);

/** 1 for each status that is among them. */
export function statusTable(codes: readonly (number | string)[]): Uint8Array {
  const table = new Uint8Array(STATUSES);
  for (const code of codes) {
    const text = String(code);
    const [first = text, last = first] = text.split("-");
    table.fill(1, Number(first.replace("xx", "00")), Number(last.replace("xx", "99")) + 1);
  }
  return table;
}
