/** The benchmark cannot run on this machine. The message says why and what to do; the program ends with status 2. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
