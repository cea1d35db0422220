import type { ServiceDefinition } from "@grpc/grpc-js";
import { ClusterService } from "./generated/runway/cluster/v1/cluster_pb.ts";

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * The service with messages as bytes: encoding is the codec's business, so that one configuration is encoded once and the
 * same bytes are written to every stream.
 */
export const clusterService = {
  configStream: {
    path: `/${ClusterService.typeName}/${ClusterService.method.configStream.name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const satisfies ServiceDefinition;
