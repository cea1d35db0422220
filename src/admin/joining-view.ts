/** What the admin API needs of a control plane that lets nodes join. */
export interface JoiningView {
  /**
   * SHA-256 of the authority that signed the certificate which this control plane shows to nodes, hexadecimal.
   * @throws RunwayError configurationInvalid
   */
  fingerprint(): Promise<string>;
}
