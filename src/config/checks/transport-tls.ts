import { type Check, problemOf } from "./check.ts";

/** What targets are shown is a certificate together with its key. */
export const transportTls: Check = function* ({ settings: { transport } }) {
  const { cert_file, key_file } = transport;
  if (cert_file !== "" && key_file === "")
    yield problemOf("settings", "transport", "key_file", "is missing: cert_file needs its key");
  if (cert_file === "" && key_file !== "")
    yield problemOf("settings", "transport", "cert_file", "is missing: key_file is the key of none");
};
