import manifest from "../../package.json" with { type: "json" };

/** Of this program, such as `1.4.0`. */
export const VERSION: string = manifest.version;
