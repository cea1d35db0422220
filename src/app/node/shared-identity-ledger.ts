import type { FleetNews } from "../../config/fleet-registry.ts";
import { type IdentityLedger, MemoryIdentityLedger } from "../../sync/node-identity.ts";

/**
 * Claims to node ids that all control planes of a store share. A claim counts here at once and everywhere after the next
 * exchange; of two that were made at the same time on two control planes the first to be told holds.
 */
export class SharedIdentityLedger implements IdentityLedger {
  readonly #owners = new MemoryIdentityLedger();
  #claims = new Map<string, string>();
  #freed = new Set<string>();

  ownerOf(nodeId: string): string | undefined {
    return this.#owners.ownerOf(nodeId);
  }

  claim(nodeId: string, owner: string): void {
    if (this.#owners.ownerOf(nodeId) === owner) return;
    this.#owners.claim(nodeId, owner);
    this.#freed.delete(nodeId);
    this.#claims.set(nodeId, owner);
  }

  forget(nodeId: string): void {
    if (this.#owners.ownerOf(nodeId) === undefined) return;
    this.#owners.forget(nodeId);
    this.#claims.delete(nodeId);
    this.#freed.add(nodeId);
  }

  nodeIds(): readonly string[] {
    return this.#owners.nodeIds();
  }

  /** What the others have not been told yet. It is bounded by the number of nodes that a fleet remembers. */
  untold(): { readonly claims: ReadonlyMap<string, string>; readonly freed: readonly string[] } {
    return { claims: new Map(this.#claims), freed: [...this.#freed] };
  }

  /** What was `untold` has been told, and this came back. Answers the ids that somebody freed. */
  heard(told: ReturnType<SharedIdentityLedger["untold"]>, news: FleetNews["claims"]): string[] {
    for (const [nodeId, owner] of told.claims) if (this.#claims.get(nodeId) === owner) this.#claims.delete(nodeId);
    for (const nodeId of told.freed) this.#freed.delete(nodeId);
    const freed: string[] = [];
    for (const { nodeId, owner } of news) {
      if (this.#claims.has(nodeId) || this.#freed.has(nodeId)) continue;
      if (owner !== undefined) this.#owners.claim(nodeId, owner);
      else if (this.#owners.ownerOf(nodeId) !== undefined) {
        this.#owners.forget(nodeId);
        freed.push(nodeId);
      }
    }
    return freed;
  }
}
