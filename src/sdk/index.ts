/** What a plugin is written with: `import { … } from "runway/sdk"`. */
export type { Clock } from "../core/clock.ts";
export type { FailureKind } from "../core/failure.ts";
export { keyHash, rendezvousScore } from "../core/key-hash.ts";
export type { Logger } from "../core/ports.ts";
export { Substitution } from "../core/substitution.ts";
export { type Answer, type AnswerHeaders, type AnswerOptions, answer, refuse } from "./answer.ts";
export { type ContextKey, createContextKey } from "./context-key.ts";
export { duration } from "./duration.ts";
export { hasNoLogin } from "./has-no-login.ts";
export type { HeaderFields } from "./header-fields.ts";
export { headerName, headerValue } from "./header-schemas.ts";
export { pattern } from "./pattern.ts";
export {
  type ConsumerCredentials,
  definePlugin,
  type Identity,
  type NamedUpstream,
  type Outcome,
  type Plugin,
  type PluginDefinition,
  type PluginHooks,
  type PluginNeeds,
  type PluginScope,
  type SecretPlaces,
  type UpstreamRequest,
} from "./plugin.ts";
export type { HostRequest, HostResponse, KnownConsumer, PluginHost } from "./plugin-host.ts";
export type { Consumer, RequestContext } from "./request-context.ts";
export type { CopyFate, RequestCopy } from "./request-copy.ts";
export { requestValue } from "./request-value.ts";
export type { BodyTransform, ResponseContext } from "./response-context.ts";
export { secret, secretByName } from "./secret.ts";
export type { NumbersEntry, NumbersGroup, SharedNumbers } from "./shared-numbers.ts";
