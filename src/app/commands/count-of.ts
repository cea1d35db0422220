import { InvalidArgumentError } from "commander";

/** Reads an option or argument that counts something. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number from 1.");
}
