/** A small reader of the live protocol: the incidents as the console sees them, pushed. */
import type { Incident } from "#shared/contract/incident.ts";
import { livePath, liveSubprotocol, type ServerFrame } from "#shared/contract/live.ts";

export interface Live {
  /** Every incident as last told. */
  readonly incidents: ReadonlyMap<string, Incident>;
  /** Called with each incident that is pushed after the snapshot. */
  onIncident: ((incident: Incident) => void) | null;
  /** Called when the connection was lost, not after `close`. */
  onClose: (() => void) | null;
  close(): void;
}

/** Resolves when the snapshot is complete; rejects when the collector cannot be reached. */
export function openLive(url: string): Promise<Live> {
  const incidents = new Map<string, Incident>();
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${livePath}`, liveSubprotocol);
  let closed = false;
  const live: Live = {
    incidents,
    onIncident: null,
    onClose: null,
    close() {
      closed = true;
      socket.close();
    },
  };
  return new Promise((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error(`cannot open the live channel of ${url}`)));
    socket.addEventListener("close", () => (closed ? undefined : live.onClose?.()));
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ t: "hello", v: 1, client: "causeway-drill" }));
      socket.send(JSON.stringify({ t: "sub", ch: "incidents" }));
    });
    socket.addEventListener("message", (event) => {
      const frame = JSON.parse(String(event.data)) as ServerFrame;
      if (frame.t === "snap") {
        for (const incident of frame.items) incidents.set(incident.id, incident);
        if (frame.part === frame.of) resolve(live);
      } else if (frame.t === "put") {
        incidents.set(frame.item.id, frame.item);
        live.onIncident?.(frame.item);
      }
    });
  });
}
