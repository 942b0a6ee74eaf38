/**
 * A first-in first-out queue with a limit in bytes. What does not fit is refused, and the caller accounts for it: a queue
 * that drops in silence is how samples get lost.
 */
export class BoundedQueue<T> {
  #items: { item: T; sizeBytes: number }[] = [];
  #head = 0;
  #sizeBytes = 0;
  readonly #sizeBytesMax: number;

  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** False when the queue is full; then nothing was taken. One item larger than the limit is taken by an empty queue. */
  push(item: T, sizeBytes: number): boolean {
    if (this.length > 0 && this.#sizeBytes + sizeBytes > this.#sizeBytesMax) return false;
    this.#items.push({ item, sizeBytes });
    this.#sizeBytes += sizeBytes;
    return true;
  }

  shift(): T | undefined {
    const entry = this.#items[this.#head];
    if (entry === undefined) return undefined;
    this.#head += 1;
    this.#sizeBytes -= entry.sizeBytes;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return entry.item;
  }
}
