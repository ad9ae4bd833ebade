/** What the rest of the gateway sees of an export: plain data, so that it can cross threads. */
export interface ExportStatus {
  readonly name: string;
  readonly kind: string;
  /**
   * `running`: delivering, or waiting for new leaves. `retrying`: the receiver is not available. `stopped`: nothing more is tried
   * until the configuration is loaded again, because trying again would lose, repeat or mix up leaves.
   */
  readonly state: 'starting' | 'running' | 'retrying' | 'stopped';
  /** Leaves delivered, counted from the beginning of the log. */
  readonly delivered: number;
  readonly treeSize: number;
  readonly lagLeaves: number;
  /** Age of the oldest leaf that is not delivered; 0 when there is none. */
  readonly lagSeconds: number;
  /** Failed deliveries since the start. */
  readonly failures: number;
  /** True while it lags beyond `alertAfter`, or is stopped. */
  readonly isStalled: boolean;
  /** Why the newest delivery failed, without values; absent after a success. */
  readonly reason?: string;
}
