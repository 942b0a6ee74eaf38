/** The one door to @preact/signals. Importing it also teaches Preact to redraw a component whose signals changed. */
export {
  batch,
  computed,
  effect,
  signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
  type ReadonlySignal,
  type Signal,
} from "@preact/signals";
