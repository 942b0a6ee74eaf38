/**
 * Network interfaces from /proc/net/dev, and TCP's trouble from /proc/net/snmp and /proc/net/netstat (proc_pid_net(5)).
 *
 * The agent's own network namespace. Interfaces left out: lo, and the host's ends of the pairs that join containers
 * to it (veth, cali, lxc): they come and go with every container, and their traffic is on the real interface too. At
 * most 64 interfaces. How many connections there are in each state comes from `connections.ts`, which reads the table
 * anyway.
 */
import { counter, type Column } from "./column.ts";
import type { Cursor } from "./cursor.ts";
import { PairedLines } from "./keyed-lines.ts";
import type { Probe, Tick } from "./probe.ts";
import { ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";
import { Rows } from "./rows.ts";

/** Names looked at: a container host has a pair for each container, and their names are never used again. */
const namesMax = 4096;
const interfacesMax = 64;
const skipped = /^(lo$|veth|cali|lxc)/;
const colon = 58;

/** Places in a line: the receiving side's eight numbers, then the sending side's. */
const fieldCount = 16;
const transmit = 8;
const place = { bytes: 0, packets: 1, errors: 2, dropped: 3 } as const;

export function createHostNetwork(parts: { reader: ProcReader; procRoot: string }): Probe {
  return new HostNetwork(parts.reader, parts.procRoot);
}

interface Interface {
  readonly columns: InterfaceColumns | undefined;
}

class HostNetwork implements Probe {
  readonly name = "host-network";
  readonly shedRank = 10;
  readonly #dev: ProcFile;
  readonly #snmp: ProcFile;
  readonly #netstat: ProcFile;
  readonly #fields = new Float64Array(fieldCount);
  readonly #tcp = new PairedLines("Tcp:", ["RetransSegs", "EstabResets", "OutRsts"]);
  readonly #tcpExt = new PairedLines("TcpExt:", ["ListenOverflows"]);
  #interfaces: Rows<Interface>;
  #told = 0;

  readonly #retransmits = counter("system.network.tcp.retransmits", "{segment}", 0);
  readonly #resets = ["established", "sent"].map((kind) =>
    counter("system.network.tcp.resets", "{reset}", 0, [["causeway.tcp.reset", kind]]),
  );
  readonly #overflows = counter("system.network.tcp.listen.overflows", "{connection}", 0);

  constructor(reader: ProcReader, procRoot: string) {
    this.#dev = new ProcFile(reader, `${procRoot}/net/dev`, { whole: true, recordBytesMax: 512 });
    this.#snmp = new ProcFile(reader, `${procRoot}/net/snmp`, { whole: false });
    this.#netstat = new ProcFile(reader, `${procRoot}/net/netstat`, { whole: false });
    this.#interfaces = this.#createRows();
  }

  read(_tick: Tick, recorder: Recorder): undefined {
    this.#readInterfaces(this.#dev.read(), recorder);
    const tcp = this.#tcp.read(this.#snmp.read());
    this.#retransmits.set(recorder, tcp[0]!);
    this.#resets[0]!.set(recorder, tcp[1]!);
    this.#resets[1]!.set(recorder, tcp[2]!);
    this.#overflows.set(recorder, this.#tcpExt.read(this.#netstat.read())[0]!);
  }

  close(): void {
    this.#dev.close();
    this.#snmp.close();
    this.#netstat.close();
  }

  #createRows(): Rows<Interface> {
    this.#told = 0;
    return new Rows((name) => {
      const told = !skipped.test(name) && this.#told < interfacesMax;
      if (told) this.#told += 1;
      return { columns: told ? interfaceColumns(name) : undefined };
    }, namesMax);
  }

  #readInterfaces(cursor: Cursor, recorder: Recorder): void {
    // Names that were never used again filled the table: begin anew, the columns are found again by their series.
    if (this.#interfaces.refused > 0) this.#interfaces = this.#createRows();
    cursor.nextLine();
    cursor.nextLine();
    for (let index = 0; !cursor.done; index += 1, cursor.nextLine()) {
      const end = nameEnd(cursor);
      const found = this.#interfaces.at(index, cursor, cursor.at, end);
      if (found?.columns === undefined) continue;
      cursor.at = end + 1;
      for (let field = 0; field < fieldCount; field += 1) this.#fields[field] = cursor.number();
      tell(found.columns, this.#fields, recorder);
    }
  }
}

/** Puts the cursor on the first byte of the interface's name; returns where it ends. */
function nameEnd(cursor: Cursor): number {
  cursor.skipSpaces();
  let at = cursor.at;
  while (at < cursor.end && cursor.bytes[at] !== colon) at += 1;
  return at;
}

interface Direction {
  readonly io: Column;
  readonly packets: Column;
  readonly errors: Column;
  readonly dropped: Column;
}

interface InterfaceColumns {
  readonly receive: Direction;
  readonly transmit: Direction;
}

function interfaceColumns(name: string): InterfaceColumns {
  const direction = (word: string): Direction => {
    const labels = [
      ["network.interface.name", name],
      ["network.io.direction", word],
    ] as const;
    return {
      io: counter("system.network.io", "By", 0, labels),
      packets: counter("system.network.packet.count", "{packet}", 0, labels),
      errors: counter("system.network.errors", "{error}", 0, labels),
      dropped: counter("system.network.packet.dropped", "{packet}", 0, labels),
    };
  };
  return { receive: direction("receive"), transmit: direction("transmit") };
}

function tell(columns: InterfaceColumns, fields: Float64Array, recorder: Recorder): void {
  tellDirection(columns.receive, fields, 0, recorder);
  tellDirection(columns.transmit, fields, transmit, recorder);
}

function tellDirection(direction: Direction, fields: Float64Array, from: number, recorder: Recorder): void {
  direction.io.set(recorder, fields[from + place.bytes]!);
  direction.packets.set(recorder, fields[from + place.packets]!);
  direction.errors.set(recorder, fields[from + place.errors]!);
  direction.dropped.set(recorder, fields[from + place.dropped]!);
}
