/**
 * Bytes a sample on the wire, measured on this machine's own metrics in real time, and the time to encode and decode them
 * beside JSON and plain float64.
 *
 * The figure has everything in it: headers, checksums and the key frame with its dictionary. A run is shorter than a segment
 * (one hour at 10 s), so the hour is told as well: one key frame and 359 frames like the mean of those seen.
 */
import { createCollectStats } from "#agent/collect/collect-stats.ts";
import { createCollect } from "#agent/collect/collect.ts";
import { createProbes, usualProbes } from "#agent/collect/probes.ts";
import { Recorder } from "#agent/collect/recorder.ts";
import { processCpuSeconds } from "#agent/collect/self.ts";
import { Framer } from "#agent/send/framer.ts";
import { systemClock } from "#shared/clock.ts";
import { limits } from "#shared/limits.ts";
import { silentLog } from "#shared/log.ts";
import { FrameDecoder, FrameEncoder, type FrameInput } from "#shared/wire/wire.ts";
import { type BenchOptions, type Figures, measure, row, type Side, shown } from "./report.ts";

const segmentFrames = limits.segmentFramesMax;
const identity = {
  agentId: "00000000-0000-4000-8000-000000000001",
  epoch: 1,
  resource: [["host.name", "bench"]] as const,
};

interface Recording {
  readonly intervalMs: number;
  readonly inputs: readonly FrameInput[];
  readonly frames: readonly Uint8Array[];
  readonly samples: number;
}

export async function benchWire({ size, print, minutes }: BenchOptions): Promise<Figures> {
  const intervalMs = size === "full" ? 10_000 : 1_000;
  const ticks = size === "tiny" ? 2 : size === "quick" ? 60 : Math.ceil((minutes * 60_000) / intervalMs);
  const recording = await record(intervalMs, ticks);
  const bytes = reportBytes(recording, print);
  const segment = segmentOf(recording);
  const repeats = size === "tiny" ? 1 : 20;
  const rounds = size === "full" ? 5 : 3;
  const [encode, jsonEncode, floatEncode] = measure(encoders(segment, repeats), rounds, print);
  const [decode, jsonDecode, floatDecode] = measure(decoders(segment, repeats), rounds, print);
  const faster = jsonDecode!.nsPerOperation / decode!.nsPerOperation;
  print(row("ratio, JSON to wire, decoding", `${shown(faster)} x`, `node ${process.version}`));
  return {
    ...bytes,
    "wire.encode_ns": encode!.nsPerOperation,
    "wire.decode_ns": decode!.nsPerOperation,
    "wire.json_encode_ns": jsonEncode!.nsPerOperation,
    "wire.json_decode_ns": jsonDecode!.nsPerOperation,
    "wire.float64_encode_ns": floatEncode!.nsPerOperation,
    "wire.float64_decode_ns": floatDecode!.nsPerOperation,
  };
}

/** `ticks` ticks of the agent's real probes on this machine, encoded as the agent does. */
function record(intervalMs: number, ticks: number): Promise<Recording> {
  const clock = systemClock;
  const recorder = new Recorder();
  const stats = createCollectStats();
  const agent = { bytesSent: 0, framesSent: 0, spoolBytes: 0, spoolFrames: 0 };
  const config = { ...usualProbes, intervalMs };
  const probes = createProbes({ clock, config, stats, agent: () => agent, cpuSeconds: processCpuSeconds });
  const framer = new Framer({ ...identity, intervalMs, recorder, limits });
  const known = new Set<number>();
  const inputs: FrameInput[] = [];
  const frames: Uint8Array[] = [];
  let samples = 0;
  return new Promise((resolve) => {
    const onTick = (timeMs: number): void => {
      const definitions = recorder
        .definitions()
        .filter(({ column }) => frames.length === 0 || !known.has(column));
      for (const { column } of recorder.definitions()) known.add(column);
      const tick = { timeMs, values: recorder.values.slice(0, recorder.columns), columns: recorder.columns };
      const frame = framer.frame(timeMs, []);
      inputs.push({
        sequence: frame.sequence,
        key: frame.key,
        intervalMs,
        ticks: [tick],
        definitions,
        losses: [],
      });
      frames.push(frame.bytes);
      samples += frame.samples;
      agent.bytesSent += frame.bytes.length;
      agent.framesSent += 1;
      recorder.endTick();
      if (frames.length < ticks) return;
      collect.stop();
      resolve({ intervalMs, inputs, frames, samples });
    };
    const collect = createCollect({
      clock,
      log: silentLog,
      recorder,
      probes: probes.all,
      stats,
      onTick,
      cost: () => probes.self.cost(),
      config: { intervalMs, budget: { maxCpuShare: Number.MAX_VALUE, maxRssBytes: Number.MAX_VALUE } },
    });
    collect.start();
  });
}

function reportBytes(
  { frames, inputs, samples, intervalMs }: Recording,
  print: (line: string) => void,
): Figures {
  const total = frames.reduce((sum, { length }) => sum + length, 0);
  const keyBytes = frames[0]!.length;
  const samplesPerTick = samples / frames.length;
  const meanBytes = frames.length > 1 ? (total - keyBytes) / (frames.length - 1) : keyBytes;
  const segment = (keyBytes + meanBytes * (segmentFrames - 1)) / (samplesPerTick * segmentFrames);
  const json =
    inputs.reduce((sum, { ticks }) => sum + JSON.stringify([...ticks[0]!.values]).length, 0) / samples;
  const seconds = (frames.length * intervalMs) / 1000;
  print(
    row("real metrics", `${Math.round(samplesPerTick)} series`, `${seconds} s at ${intervalMs / 1000} s`),
  );
  print(row("all frames of this run", `${shown(total / samples)} B a sample`, `key frame ${keyBytes} B`));
  print(row("key frame spread over a segment", `${shown(segment)} B a sample`, `${segmentFrames} frames`));
  print(row("without key frame", `${shown(meanBytes / samplesPerTick)} B a sample`, "float64 8"));
  print(row("JSON, values alone", `${shown(json)} B a sample`, `${shown(json / segment)} x`));
  return {
    "wire.bytes_per_sample": segment,
    "wire.run_bytes_per_sample": total / samples,
    "wire.run_seconds": seconds,
    "wire.delta_bytes_per_sample": meanBytes / samplesPerTick,
    "wire.key_frame_bytes": keyBytes,
    "wire.series": samplesPerTick,
    "wire.json_bytes_per_sample": json,
  };
}

/** A whole segment of the recorded ticks, over and over: one key frame in 360, as agents send. */
function segmentOf({ inputs, intervalMs }: Recording): FrameInput[] {
  const byColumn = new Map(inputs.flatMap(({ definitions }) => definitions.map((one) => [one.column, one])));
  const all = [...byColumn.values()];
  const columns = Math.max(...inputs.map(({ ticks }) => ticks[0]!.columns));
  return Array.from({ length: segmentFrames }, (_, sequence) => {
    const values = new Float64Array(columns).fill(Number.NaN);
    values.set(inputs[sequence % inputs.length]!.ticks[0]!.values);
    const key = sequence === 0;
    const timeMs = inputs[0]!.ticks[0]!.timeMs + sequence * intervalMs;
    const ticks = [{ timeMs, values, columns }];
    return { sequence, key, intervalMs, ticks, definitions: key ? all : [], losses: [] };
  });
}

function valuesOf(inputs: readonly FrameInput[]): Float64Array[] {
  return inputs.map(({ ticks }) => ticks[0]!.values);
}

function encoders(inputs: readonly FrameInput[], repeats: number): Side[] {
  const columns = valuesOf(inputs);
  return [
    repeated("wire encode", inputs, repeats, () => {
      const encoder = new FrameEncoder(identity);
      return inputs.reduce((sum, input) => sum + encoder.encode(input).length, 0);
    }),
    repeated("JSON encode", inputs, repeats, () =>
      columns.reduce((sum, values) => sum + JSON.stringify([...values]).length, 0),
    ),
    repeated("float64 encode", inputs, repeats, () =>
      columns.reduce((sum, values) => sum + new Uint8Array(values.buffer.slice(0))[8]!, 0),
    ),
  ];
}

function decoders(inputs: readonly FrameInput[], repeats: number): Side[] {
  const encoder = new FrameEncoder(identity);
  const frames = inputs.map((input) => encoder.encode(input));
  const texts = valuesOf(inputs).map((values) => JSON.stringify([...values]));
  const raw = valuesOf(inputs).map((values) => new Uint8Array(values.buffer.slice(0)));
  return [
    repeated("wire decode", inputs, repeats, () => {
      const decoder = new FrameDecoder();
      return frames.reduce((sum, frame) => sum + hashOf(decoder.decode(frame).ticks[0]!.values), 0);
    }),
    repeated("JSON decode", inputs, repeats, () =>
      texts.reduce((sum, text) => sum + hashOf(JSON.parse(text) as number[]), 0),
    ),
    repeated("float64 decode", inputs, repeats, () =>
      raw.reduce((sum, bytes) => sum + hashOf(new Float64Array(bytes.slice().buffer)), 0),
    ),
  ];
}

function repeated(name: string, inputs: readonly FrameInput[], repeats: number, work: () => number): Side {
  const samples = valuesOf(inputs).reduce((sum, { length }) => sum + length, 0);
  return {
    name,
    run() {
      let hash = 0;
      for (let count = 0; count < repeats; count += 1) hash = work();
      return { operations: samples * repeats, hash };
    },
  };
}

/** The same for the same values, whatever they are held in. */
function hashOf(values: ArrayLike<number>): number {
  return Math.floor((values[0] ?? 0) % 1000) + values.length;
}
