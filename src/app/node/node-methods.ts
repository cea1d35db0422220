import { NODE_CALLS, NODE_PREFIX } from "../../admin/node-calls.ts";
import type { NodeControl } from "../../admin/node-control.ts";
import { describeProblem } from "../../config/problem.ts";
import { checkShape } from "../../config/shape.ts";
import { RPC_ERRORS } from "../../sync/rpc/json-rpc.ts";
import { RpcFailure } from "../../sync/rpc/rpc-failure.ts";
import type { RpcMethod } from "../../sync/rpc/rpc-peer.ts";

/** What a control plane may ask of this node: the table of calls as remote methods. */
export function nodeMethods(node: NodeControl): Record<string, RpcMethod> {
  return Object.fromEntries(
    NODE_CALLS.map((call): [string, RpcMethod] => [
      NODE_PREFIX + call.name,
      (params) => {
        const shape = checkShape(call.params, params);
        if (shape.ok) return call.answer(node, shape.value);
        throw new RpcFailure({ ...RPC_ERRORS.invalidParams, data: shape.problems.map(describeProblem).join("; ") });
      },
    ]),
  );
}
