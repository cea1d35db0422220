import { readFileSync } from "node:fs";
import type { TokenLookup } from "../../admin/access/gate.ts";
import { describeProblem } from "../../config/problem.ts";
import type { Token } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import { watchFiles } from "../../core/watched-files.ts";
import { parseTokens } from "./tokens-file.ts";

/** The tokens of a file, read again when it changes. A file that went bad changes nothing. */
export class FileTokens implements TokenLookup {
  readonly #path: string;
  #tokens: ReadonlyMap<string, Token> = new Map();
  #stopWatching = (): void => {};

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws RunwayError configurationInvalid */
  start(clock: Clock, logger: Logger): void {
    this.#read();
    this.#stopWatching = watchFiles([this.#path], clock, () => {
      try {
        this.#read();
        logger.info("The tokens were read again", { file: this.#path, tokens: this.#tokens.size });
      } catch (error) {
        logger.error("The tokens cannot be read; those from before stay valid", { file: this.#path, error });
      }
    });
  }

  stop(): void {
    this.#stopWatching();
  }

  async find(secretHash: string): Promise<Token | undefined> {
    return this.#tokens.get(secretHash);
  }

  #read(): void {
    const tokens = parseTokens(this.#text());
    if (!tokens.ok) throw invalid(`${this.#path}: ${tokens.problems.map(describeProblem).join("; ")}`);
    this.#tokens = new Map(tokens.value.map((token) => [token.secretHash, token]));
  }

  #text(): string {
    try {
      return readFileSync(this.#path, "utf8");
    } catch (cause) {
      throw invalid(`admin.tokens_file cannot be read: ${cause instanceof Error ? cause.message : cause}.`);
    }
  }
}

function invalid(detail: string): RunwayError {
  return new RunwayError("configurationInvalid", detail);
}
