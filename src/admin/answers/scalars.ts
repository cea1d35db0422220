import { z } from "zod";

/** RFC 3339. */
export const time = z.iso.datetime();

/** A time that has perhaps not been. */
export const perhapsTime = time.nullable();

/** Readers that keep numbers as doubles lose digits; a twin named `…_hex` has all. */
export const hash64 = z.number().min(0).describe("64 bits, of which a double keeps 53.");

export const hashHex = z.string().regex(/^[0-9a-f]{16}$/);

export const count = z.number().min(0);
