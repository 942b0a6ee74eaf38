/**
 * A second reader of agent frames, written from shared/wire/README.md alone: it shares no line with shared/wire/. When both
 * read the vectors alike, the page says enough. It checks nothing that the vectors do not need.
 */
export interface BookFrame {
  agentId: string;
  epoch: number;
  sequence: number;
  key: boolean;
  intervalMs: number;
  resource: readonly (readonly [string, string])[] | null;
  definitions: readonly unknown[];
  ticks: readonly { timeMs: number; values: number[] }[];
  losses: readonly unknown[];
}

const reasons = "spool_full spool_expired agent_restart tick_missed spool_corrupt disk_full shed".split(" ");

interface Memory {
  value: number;
  scaled: number;
  decimals: number;
}

export class BookReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #columns: Memory[] = [];

  read(bytes: Uint8Array): BookFrame {
    this.#bytes = Buffer.from(bytes);
    this.#at = 4;
    if (bitwiseCrc(bytes.subarray(0, -4)) !== this.#bytes.readUInt32LE(bytes.length - 4)) {
      throw new Error("CRC");
    }
    const key = bytes[3] === 1;
    if (key) this.#columns = [];
    const agentId = this.#take(16)
      .toString("hex")
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const [epoch, sequence, baseMs, intervalMs] = this.#varints(4) as [number, number, number, number];
    const frame: BookFrame = {
      agentId,
      epoch,
      sequence,
      key,
      intervalMs,
      resource: null,
      definitions: [],
      ticks: [],
      losses: [],
    };
    while (this.#at < bytes.length - 4) {
      const type = this.#byte();
      const end = this.#varint() + this.#at;
      if (type === 1) frame.resource = this.#list(() => [this.#string(), this.#string()] as const);
      else if (type === 2) frame.definitions = this.#definitions();
      else if (type === 3) frame.ticks = this.#ticks(baseMs);
      else if (type === 4) frame.losses = this.#list(() => this.#loss());
      else if (type < 128) throw new Error(`section ${type}`);
      if (this.#at !== end) throw new Error(`section ${type} ends at ${this.#at}, not at ${end}`);
    }
    return frame;
  }

  #definitions(): unknown[] {
    const strings = this.#list(() => this.#string());
    let column = -1;
    return this.#list(() => {
      const [skipped, metric, unit] = this.#varints(3) as [number, number, number];
      column += skipped + 1;
      const flags = this.#byte();
      const decimals = flags >> 1;
      const labels = this.#list(() => this.#varints(2).map((index) => strings[index]));
      this.#memory(column).value = Number.NaN;
      this.#memory(column).scaled = 0;
      this.#memory(column).decimals = decimals;
      const instrument = flags % 2 === 1 ? "counter" : "gauge";
      return {
        column,
        series: { metric: strings[metric], unit: strings[unit], instrument, decimals, labels },
      };
    });
  }

  #ticks(baseMs: number): { timeMs: number; values: number[] }[] {
    const [count, columns] = this.#varints(2) as [number, number];
    let timeMs = baseMs;
    return Array.from({ length: count }, () => {
      timeMs += this.#varint();
      for (let column = 0; column < columns;) column += this.#token(column);
      return { timeMs, values: Array.from({ length: columns }, (_, column) => this.#memory(column).value) };
    });
  }

  /** Reads one token at `column`; gives the number of columns that it covers. */
  #token(column: number): number {
    const token = this.#byte();
    const memory = this.#memory(column);
    if (token >= 0x80 && token <= 0xbf) return token - 0x7f;
    if (token === 0xfb) return this.#varint();
    if (token === 0xfa) memory.value = Number.NaN;
    else if (token === 0xf9) {
      memory.value = this.#take(8).readDoubleLE();
      const scaled = Math.floor(memory.value * 10 ** memory.decimals + 0.5);
      memory.scaled = Math.abs(scaled) <= 2 ** 52 ? scaled : 0;
    } else {
      const zigzag = this.#zigzag(token);
      memory.scaled += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      memory.value = memory.scaled / 10 ** memory.decimals;
    }
    return 1;
  }

  #zigzag(token: number): number {
    if (token <= 0x7f) return token;
    if (token <= 0xdf) return (token - 0xc0) * 2 ** 8 + this.#take(1).readUIntBE(0, 1);
    if (token <= 0xef) return (token - 0xe0) * 2 ** 16 + this.#take(2).readUIntBE(0, 2);
    if (token <= 0xf7) return (token - 0xf0) * 2 ** 24 + this.#take(3).readUIntBE(0, 3);
    if (token === 0xf8) return this.#take(6).readUIntLE(0, 6);
    throw new Error(`token ${token}`);
  }

  #loss(): unknown {
    const reason = reasons[this.#byte()];
    const [fromMs, lengthMs, series, samples] = this.#varints(4) as [number, number, number, number];
    return { reason, fromMs, toMs: fromMs + lengthMs, series, samples };
  }

  #memory(column: number): Memory {
    return (this.#columns[column] ??= { value: Number.NaN, scaled: 0, decimals: 0 });
  }

  #take(count: number): Buffer {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #byte(): number {
    return this.#take(1).readUInt8();
  }

  #varint(): number {
    const byte = this.#byte();
    return byte < 128 ? byte : byte - 128 + 128 * this.#varint();
  }

  #varints(count: number): number[] {
    return Array.from({ length: count }, () => this.#varint());
  }

  #string(): string {
    return this.#take(this.#varint()).toString("utf8");
  }

  #list<T>(one: () => T): T[] {
    return Array.from({ length: this.#varint() }, one);
  }
}

function bitwiseCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
