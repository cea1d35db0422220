import assert from "node:assert/strict";
import type { Cluster } from "./cluster.ts";

/** Lets writers push at once, in turn to each control plane, until so many commits are made. Answers their versions. */
export async function writeConcurrently(
  cluster: Cluster,
  { writers, commits }: { readonly writers: number; readonly commits: number },
  documentOf: (path: string) => string,
): Promise<number[]> {
  const versions: number[] = [];
  let next = 0;
  const write = async (writer: number): Promise<void> => {
    const to = cluster.controlPlanes[writer % cluster.controlPlanes.length]!;
    while (next < commits) {
      const number = next++;
      const answer = await cluster.push(documentOf(`/commit-${number}`), "", to);
      const body = (await answer.json()) as { Version: number };
      assert.equal(answer.status, 200, JSON.stringify(body));
      versions.push(body.Version);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return versions.sort((a, b) => a - b);
}
