/** The metrics of this node in a text format. */
export interface MetricsView {
  readonly contentType: string;
  expose(): Promise<string>;
}
