import {
  type BrotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  type Gzip,
  type ZstdCompress,
} from "node:zlib";

export const CODINGS = ["br", "zstd", "gzip"] as const;
export type Coding = (typeof CODINGS)[number];

/** Small windows: a stream of brotli or zstd would otherwise hold several megabytes for as long as its client takes. */
const WINDOW_BITS = 18;

/**
 * A stream that compresses, and what makes it give out what it holds back.
 * @param level 0 to 11: the quality of brotli, and as far as they go the levels of gzip (9) and zstd
 */
export function compressor(
  coding: Coding,
  level: number,
): { readonly stream: BrotliCompress | Gzip | ZstdCompress; readonly flush: () => void } {
  switch (coding) {
    case "br": {
      const params = { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS };
      const stream = createBrotliCompress({ params });
      return { stream, flush: () => stream.flush(constants.BROTLI_OPERATION_FLUSH) };
    }
    case "zstd": {
      const params = {
        [constants.ZSTD_c_compressionLevel]: Math.max(1, level),
        [constants.ZSTD_c_windowLog]: WINDOW_BITS,
      };
      const stream = createZstdCompress({ params });
      return { stream, flush: () => stream.flush(constants.ZSTD_e_flush) };
    }
    case "gzip": {
      const stream = createGzip({ level: Math.min(9, level) });
      return { stream, flush: () => stream.flush(constants.Z_SYNC_FLUSH) };
    }
  }
}

/**
 * The coding that a client takes and we prefer (RFC 9110 §12.5.3); undefined when it wants none. Weights only forbid: among what a
 * client takes the order is ours.
 */
export function chooseCoding(accepted: string | undefined, preferred: readonly Coding[]): Coding | undefined {
  if (accepted === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const item of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  return preferred.find((coding) => (weights.get(coding) ?? weights.get("*") ?? 0) > 0);
}
