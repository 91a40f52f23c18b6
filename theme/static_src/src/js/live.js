// The live socket: {v, seq, type, data}; a snapshot first; after a gap the page asks for another one.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15000;
const SILENCE_MS = 6000;
const SIGNED_OUT = 4401; // the session ended: the reloaded page asks to sign in

export class Live {
  constructor(path) {
    this.path = path;
    this.handlers = new Map();
    this.seq = null;
    this.retryMs = FIRST_RETRY_MS;
    this.lastMessageAt = performance.now();
  }

  /** Call `handler(data)` for each message of this type; "snapshot" and "connection" are types too. */
  on(type, handler) {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
    return this;
  }

  start() {
    this.connect();
    window.addEventListener("pagehide", () => (this.isLeaving = true));
    window.setInterval(() => this.watchSilence(), 1000);
  }

  connect() {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${window.location.host}${this.path}`);
    this.socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => (event.code === SIGNED_OUT ? window.location.reload() : this.reconnect()));
  }

  reconnect() {
    if (this.isLeaving) return;
    this.seq = null;
    this.emit("connection", { state: "lost" });
    window.setTimeout(() => this.connect(), this.retryMs * (0.75 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  receive(message) {
    this.lastMessageAt = performance.now();
    this.retryMs = FIRST_RETRY_MS;
    if (message.type === "snapshot" || this.isSilent) this.emit("connection", { state: "open" });
    this.isSilent = false;
    if (message.type === "snapshot") {
      this.seq = message.seq;
    } else if (this.seq === null || message.seq !== this.seq + 1) {
      this.askAgain();
      return;
    } else {
      this.seq = message.seq;
    }
    this.emit(message.type, message.data);
  }

  askAgain() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.seq !== null || !this.asked) this.socket.send(JSON.stringify({ type: "snapshot" }));
    this.asked = true;
    this.seq = null;
    window.setTimeout(() => (this.asked = false), 1000);
  }

  /** Send one message; false while there is no connection. */
  say(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  watchSilence() {
    const silentMs = performance.now() - this.lastMessageAt;
    this.isSilent = silentMs > SILENCE_MS;
    if (this.isSilent) this.emit("connection", { state: "silent", age_s: silentMs / 1000 });
  }

  emit(type, data) {
    for (const handler of this.handlers.get(type) ?? []) handler(data);
  }
}
