import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { RunwayError } from "../core/failure.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { isNodeId } from "./hello-check.ts";

/**
 * The name that a node goes by: the configured one, else the one in `<directory>/node_id`, else a new UUID that is kept
 * there for the next start.
 * @throws RunwayError configurationInvalid when the name is none, storeUnavailable when it can be neither read nor kept:
 *   a node with another name at each start would fill the fleet with strangers
 */
export async function readNodeId(directory: string, configured: string): Promise<string> {
  if (configured !== "") return checkNodeId(configured, "cluster.data_plane.node_id");
  const path = join(directory, "node_id");
  const kept = await readIfThere(path);
  if (kept !== undefined) return checkNodeId(kept.trim(), path);
  const nodeId = randomUUID();
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFileAtomically(path, nodeId);
  } catch (error) {
    throw unavailable(path, "written", error);
  }
  return nodeId;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unavailable(path, "read", error);
  }
}

function checkNodeId(text: string, source: string): string {
  if (isNodeId(text)) return text;
  throw new RunwayError(
    "configurationInvalid",
    `${source} is not a node id: it must be 1 to 128 letters, digits, ".", "_" or "-", and start with a letter or digit`,
  );
}

function unavailable(path: string, verb: "read" | "written", cause: unknown): RunwayError {
  const advice = "give the process access to cluster.data_plane.cache_dir, or set cluster.data_plane.node_id";
  return new RunwayError("storeUnavailable", `${path} cannot be ${verb}: ${(cause as Error).message}; ${advice}`, {
    cause,
  });
}
