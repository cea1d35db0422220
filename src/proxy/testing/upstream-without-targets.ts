import { CompiledUpstream } from "../upstream/compiled-upstream.ts";

/** For routes that are matched but send nothing. */
export const UPSTREAM_WITHOUT_TARGETS = CompiledUpstream.of({ backends: [] }, undefined, {
  poolOf: (origin) => {
    throw new Error(`there is no pool for ${origin}`);
  },
  random: () => 0,
  nowMs: () => 0,
});
