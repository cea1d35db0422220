import type { RequestChannel } from "../../http/request-channel.ts";
import { type Answer, isAnswer } from "../../sdk/answer.ts";
import { HeaderFields } from "../../sdk/header-fields.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { Target } from "../upstream/target.ts";
import { upstreamKey } from "../upstream/upstream-settings.ts";
import type { Gateway } from "../worker/gateway.ts";
import type { Sending } from "./attempt.ts";
import type { ClientRequest } from "./client-request.ts";
import type { CopySource } from "./copied-request.ts";
import { type ForwardedHead, writeForwardedRequest } from "./forwarded-request.ts";
import { GrpcWebCall } from "./grpc/grpc-web-call.ts";
import type { RequestRecord } from "./request-record.ts";

interface Place {
  readonly upstream: CompiledUpstream;
}

/**
 * The request as a target gets it: to which upstream it goes, on whose behalf, with what head, and with its body translated where
 * the target speaks gRPC to a caller of gRPC-Web. One object serves all requests of a channel, one after another.
 */
export class UpstreamRequest implements CopySource {
  /** The protocol that the request asks to switch to, if it may. */
  upgrade: string | undefined;
  /** What was a call of gRPC-Web and is one of gRPC for the target. */
  call: GrpcWebCall | undefined;
  readonly #client: RequestChannel;
  readonly #gateway: Gateway;
  readonly #record: RequestRecord;
  readonly #asked: ClientRequest;

  constructor(client: RequestChannel, gateway: Gateway, record: RequestRecord, asked: ClientRequest) {
    this.#client = client;
    this.#gateway = gateway;
    this.#record = record;
    this.#asked = asked;
  }

  /** The request goes to this upstream. */
  open(upstream: CompiledUpstream): void {
    this.call = upstream.isHttp2 ? GrpcWebCall.of(this.#client.request.fields) : undefined;
  }

  /** Where the upstream stands; a plugin may have chosen another one than the route's. Undefined when there is none. */
  get place(): Place | undefined {
    const { plugins, route } = this.#record;
    const chosen = plugins?.request.upstream;
    return chosen === undefined ? route : this.#placeOf(chosen);
  }

  /** What the client is told about the target that answered, for its next request. */
  get linesAboutTarget(): string {
    const { target } = this.#record;
    return target === undefined ? "" : (this.place?.upstream.linesFor(this.#client.request, target) ?? "");
  }

  /** What the target is sent; an answer when a plugin failed. */
  sendingTo(target: Target): Sending | Answer {
    const { request } = this.#client;
    const edited = this.#record.plugins?.prepareTry(target.pool.authority);
    if (isAnswer(edited)) return edited;
    const head = this.#writeHead(request, target, edited);
    return { request, head, timeouts: this.#record.route!.handling, upgrade: this.upgrade };
  }

  targetForCopy(id: string): Target | undefined {
    const upstream = this.#placeOf(id)?.upstream;
    return upstream?.choose(this.#client.request, this.addressFor(upstream));
  }

  copyTo(target: Target, bodyBytes: number): Sending | undefined {
    const { method, host, fields, nominated, hasBody, contentLength } = this.#client.request;
    const framing = { chunked: false, contentLength: hasBody ? bodyBytes : contentLength, expectsContinue: false };
    const request = { method, host, fields, nominated, hasBody, ...framing };
    const edited = this.#record.plugins?.prepareTry(target.pool.authority);
    if (isAnswer(edited)) return undefined;
    const head = this.#writeHead(request, target, edited);
    return { request, head, timeouts: this.#record.route!.handling, upgrade: undefined };
  }

  /** The address of who asks, behind proxies that are believed; only where the choice of a target goes by it. */
  addressFor(upstream: CompiledUpstream): string {
    return upstream.isHashed ? this.#asked.client : this.#asked.caller.address;
  }

  #placeOf(id: string): Place | undefined {
    return this.#gateway.configuration.table.place(upstreamKey({ id }));
  }

  #writeHead(head: ForwardedHead, { pool, basePath }: Target, edited: HeaderFields | undefined): string {
    const { request } = this.#client;
    const { plugins, requestId, route } = this.#record;
    const { caller, isPeerTrusted } = this.#asked;
    const rewritten = plugins?.request;
    return writeForwardedRequest(head, {
      upgrade: this.upgrade,
      target: basePath + (rewritten === undefined ? route!.rewrite(request.path) + request.query : rewritten.target),
      authority: rewritten?.authority ?? pool.authority,
      requestId,
      peer: caller.address,
      scheme: caller.scheme,
      isPeerTrusted,
      edited: this.call === undefined ? edited : asGrpc(this.call, edited ?? new HeaderFields(request.fields)),
      isGrpcWeb: this.call !== undefined,
    });
  }
}

/** The fields of a call of gRPC-Web as its target gets them. */
function asGrpc({ targetType }: GrpcWebCall, edited: HeaderFields): HeaderFields {
  const fields = edited.copy();
  fields.set("Content-Type", targetType);
  return fields;
}
