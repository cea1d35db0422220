import type { FieldLines } from "../../http/field-lines.ts";
import { FIELD } from "../../http/known-field.ts";
import type { RequestChannel } from "../../http/request-channel.ts";
import type { RequestSource } from "../../sdk/request-context.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { Gateway } from "../worker/gateway.ts";
import { clientAddress } from "./client-address.ts";
import type { RequestRecord } from "./request-record.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export type Scheme = "http" | "https";

/** Who sends requests, and how. */
export interface Caller {
  readonly address: string;
  readonly scheme: Scheme;
}

/**
 * The request as the client sent it, and who that is: what plugins read, and nothing of it is made before one does. One object
 * serves all requests of a channel, one after another.
 */
export class ClientRequest implements RequestSource {
  readonly caller: Caller;
  readonly #channel: RequestChannel;
  readonly #gateway: Gateway;
  readonly #record: RequestRecord;
  #trust: { readonly by: TrustedProxies; readonly isTrusted: boolean } | undefined;

  constructor(channel: RequestChannel, gateway: Gateway, record: RequestRecord, caller: Caller) {
    this.#channel = channel;
    this.#gateway = gateway;
    this.#record = record;
    this.caller = caller;
  }

  get method(): string {
    return this.#channel.request.method;
  }

  get host(): string {
    return this.#channel.request.host;
  }

  get path(): string {
    return this.#channel.request.path;
  }

  get query(): string {
    return this.#channel.request.query;
  }

  get fields(): FieldLines {
    return this.#channel.request.fields;
  }

  get requestId(): string {
    return this.#record.requestId;
  }

  get route(): CompiledRoute {
    return this.#record.route!;
  }

  /** The address of who asks, behind proxies that are believed. */
  get client(): string {
    const before = this.fields.joined(FIELD.xForwardedFor);
    return clientAddress(this.caller.address, before, this.#gateway.configuration.trustedProxies);
  }

  /** How the client came: as the first of the proxies says that are believed, where there is one. */
  get scheme(): Scheme {
    const before = this.isPeerTrusted ? this.fields.joined(FIELD.xForwardedProto) : undefined;
    const told = before?.replace(/,.*/, "").trim().toLowerCase();
    return told === "https" || told === "http" ? told : this.caller.scheme;
  }

  /** Whether what the peer says about those before it is believed. */
  get isPeerTrusted(): boolean {
    const { trustedProxies } = this.#gateway.configuration;
    if (this.#trust?.by !== trustedProxies)
      this.#trust = { by: trustedProxies, isTrusted: trustedProxies.includes(this.caller.address) };
    return this.#trust.isTrusted;
  }
}
