import type { Disagreement } from "./campaign.ts";
import { type Input, MAX_HEAD_BYTES } from "./input.ts";
import type { Oracle } from "./oracle.ts";

/** Makes an input smaller for as long as it has the same fault: without pieces, then without parts, then with plainer octets. */
export function shrink(oracle: Oracle, input: Input, fault: string): Disagreement {
  let smallest = input;
  const tryInput = (candidate: Input): boolean => {
    if (oracle.judge(candidate).fault !== fault) return false;
    smallest = candidate;
    return true;
  };
  tryInput({ ...smallest, cuts: [] });
  for (const cut of smallest.cuts) if (tryInput({ ...smallest, cuts: [cut] })) break;
  tryInput({ ...smallest, answersHead: false });
  tryInput({ ...smallest, maxHeadBytes: MAX_HEAD_BYTES });
  for (let size = smallest.text.length >> 1; size > 0; size >>= 1) removeParts(size, () => smallest, tryInput);
  removeParts(1, () => smallest, tryInput);
  for (let at = 0; at < smallest.text.length; at++)
    if (!/[a\r\n]/.test(smallest.text[at]!)) tryInput({ ...smallest, text: replaceAt(smallest.text, at, "a") });
  return { fault, input: smallest };
}

function removeParts(size: number, current: () => Input, tryInput: (candidate: Input) => boolean): void {
  for (let at = current().text.length - size; at >= 0; at -= size) {
    const { text, cuts, ...rest } = current();
    const shorter = text.slice(0, at) + text.slice(at + size);
    const moved = cuts.map((cut) => (cut > at ? Math.max(at, cut - size) : cut));
    tryInput({ ...rest, text: shorter, cuts: moved.filter((cut) => cut > 0 && cut < shorter.length) });
  }
}

function replaceAt(text: string, at: number, character: string): string {
  return text.slice(0, at) + character + text.slice(at + 1);
}
