/**
 * A TCP proxy that counts the TLS records that each side sends on its first connection and cuts it at one of them:
 * between two records (which are the handshake of TLS, and then one for each message), or inside one. TLS hands on
 * nothing of half a record: half a WebSocket frame takes ../support/cutting-proxy.ts.
 *
 * Calling sequence: `RecordProxy.open`, `close` at the end, which cuts whatever is left.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { CutPoint } from './point.js';
import type { Side } from './site.js';

/** Type, version and length (RFC 8446, section 5.1). */
const HEAD_BYTES = 5;

export class RecordProxy {
  /** How many records each side has sent on the first connection. */
  readonly counts: Record<Side, number> = { A: 0, B: 0 };
  /** Whether it has cut. */
  cut = false;
  readonly #target: number;
  readonly #point: CutPoint | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  private constructor(target: number, point: CutPoint | undefined) {
    this.#target = target;
    this.#point = point;
    this.#server = createServer({ noDelay: true }, (client) => {
      this.#join(client);
    });
  }

  static async open(target: number, point?: CutPoint): Promise<RecordProxy> {
    const proxy = new RecordProxy(target, point);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #join(client: Socket): void {
    this.#connections += 1;
    if (this.cut && this.#point?.off === true) {
      client.resetAndDestroy();
      return;
    }
    const first = this.#connections === 1;
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    this.#pass('A', client, server, first);
    this.#pass('B', server, client, first);
  }

  #pass(from: Side, source: Socket, target: Socket, counted: boolean): void {
    let rest = Buffer.alloc(0);
    let gone = false;
    source.on('data', (chunk: Buffer) => {
      if (gone) return;
      if (!counted) {
        target.write(chunk);
        return;
      }
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const length = rest.length < HEAD_BYTES ? Infinity : HEAD_BYTES + rest.readUInt16BE(3);
        if (rest.length < length) return;
        const record = rest.subarray(0, length);
        rest = rest.subarray(length);
        this.counts[from] += 1;
        gone = this.#cuts(from, record, source, target);
        if (gone) return;
        target.write(record);
      }
    });
    // What is half-closed on one side is on the other too.
    source.once('end', () => target.end());
    source.once('close', () => {
      target.destroySoon();
    });
  }

  /** Cuts, if this is the record. */
  #cuts(from: Side, record: Buffer, source: Socket, target: Socket): boolean {
    const point = this.#point;
    if (point?.from !== from || point.record !== this.counts[from]) return false;
    this.cut = true;
    const end = (): void => {
      for (const socket of [source, target]) {
        if (point.reset) socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    const passed = record.subarray(0, passedBytes(point, record.length));
    if (passed.length === 0) end();
    else target.write(passed, end);
    return true;
  }
}

function passedBytes({ part }: CutPoint, length: number): number {
  switch (part) {
    case 'before':
      return 0;
    case 'one-byte':
      return 1;
    case 'half':
      return Math.floor(length / 2);
    case 'all-but-one':
      return length - 1;
    case 'after':
      return length;
  }
}
