/** What one probe reads at every tick anyway and another one can use: passed to both, so that no file is read twice. */
export interface HostFacts {
  /**
   * Processes and threads created since boot. While it stands still, no process can have been born, and /proc need
   * not be listed. NaN: not known.
   */
  forks: number;
}

export function createHostFacts(): HostFacts {
  return { forks: Number.NaN };
}
