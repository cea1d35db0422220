import { checkResources } from "./compile.ts";
import { type ParseOptions, parseDocument, toResources } from "./document.ts";
import { type Checked, checked, refused } from "./problem.ts";
import type { Resource } from "./resource.ts";
import type { CommitRequest, CommitResult, RevisionLog } from "./revision-log.ts";

/** A state that somebody wants to become the next version: the text of a document, or resources. */
export type Proposal = Omit<CommitRequest, "resources"> &
  ((ParseOptions & { readonly text: string }) | { readonly resources: readonly Resource[] });

/**
 * The one way into the revision log: shape, meaning, commit. Problems refuse the proposal as a whole and nothing has
 * changed; so it is when the promise rejects.
 * @throws RunwayError as RevisionLog#commit does.
 */
export async function propose(log: RevisionLog, proposal: Proposal): Promise<Checked<CommitResult>> {
  const resources = readProposal(proposal);
  if (!resources.ok) return resources;
  const { author, source, message, expectedVersion, dryRun } = proposal;
  return checked(
    await log.commit({
      resources: resources.value,
      author,
      source,
      message,
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
      ...(dryRun === undefined ? {} : { dryRun }),
    }),
  );
}

function readProposal(proposal: Proposal): Checked<readonly Resource[]> {
  if ("text" in proposal) {
    const document = parseDocument(proposal.text, proposal);
    return document.ok ? checked(toResources(document.value)) : document;
  }
  const problems = checkResources(proposal.resources);
  return problems.length === 0 ? checked(proposal.resources) : refused(problems);
}
