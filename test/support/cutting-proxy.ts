/**
 * A TCP proxy between two sites that speak without TLS (`--insecure`): it reads the WebSocket frames that pass and
 * cuts or holds the connection at a message of the handshake.
 *
 * Calling sequence: `startCuttingProxy` with what to do at which message, each once and in any connection; `met` for
 * when that message has come; `release` what is held; `close`, which cuts whatever is left.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Cut {
  readonly from: 'initiator' | 'responder';
  /** `SYN_ACK`, `FIN` … */
  readonly message: string;
  /**
   * Cut before the message is passed on, after half of its frame, or after all of it; or hold it and all that follows
   * until `release`.
   */
  readonly how: 'before' | 'half' | 'after' | 'hold';
}

export interface CuttingProxy {
  readonly port: number;
  /** All messages seen, in order: `> SYN` from the initiator, `< FIN` from the responder. */
  readonly seen: readonly string[];
  /** Resolves when the message of the cut at this place has come. */
  met(cut: number): Promise<void>;
  release(): void;
  /** From now on nobody gets through, but whoever is through stays. */
  refuse(): void;
  close(): Promise<void>;
}

/** The end of an HTTP message's head: what follows is WebSocket frames. */
const HEAD_END = Buffer.from('\r\n\r\n');

export async function startCuttingProxy(targetPort: number, cuts: readonly Cut[]): Promise<CuttingProxy> {
  const proxy = new FrameProxy(targetPort, cuts);
  await proxy.open();
  return proxy;
}

class FrameProxy implements CuttingProxy {
  readonly seen: string[] = [];
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #cuts: {
    readonly cut: Cut;
    readonly met: Promise<void>;
    readonly meet: () => void;
    done: boolean;
  }[];
  #held: (() => void)[] = [];
  #holding = false;
  #refusing = false;

  constructor(targetPort: number, cuts: readonly Cut[]) {
    this.#targetPort = targetPort;
    this.#cuts = cuts.map((cut) => {
      let meet = (): void => undefined;
      const met = new Promise<void>((resolve) => {
        meet = resolve;
      });
      return { cut, met, meet, done: false };
    });
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#join(socket);
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  async met(cut: number): Promise<void> {
    await this.#cuts[cut]?.met;
  }

  release(): void {
    this.#holding = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  refuse(): void {
    this.#refusing = true;
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
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    const both = [client, server];
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
      });
    }
    this.#pass(client, server, 'initiator');
    this.#pass(server, client, 'responder');
  }

  #pass(source: Socket, target: Socket, from: Cut['from']): void {
    const reader = new FrameReader();
    source.on('data', (chunk: Buffer) => {
      for (const { bytes, type } of reader.read(chunk)) {
        if (source.destroyed) return;
        if (type !== undefined) this.seen.push(`${from === 'initiator' ? '>' : '<'} ${type}`);
        this.#deliver(bytes, source, target, this.#match(from, type));
      }
    });
    source.on('end', () => {
      this.#later(() => target.end());
    });
    source.on('close', () => {
      this.#later(() => {
        target.destroySoon();
      });
    });
  }

  #deliver(bytes: Buffer, source: Socket, target: Socket, how: Cut['how'] | undefined): void {
    if (how === 'hold') this.#holding = true;
    const passed = how === 'half' ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes;
    if (how !== 'before') this.#later(() => target.write(passed));
    if (how !== undefined && how !== 'hold') {
      target.destroySoon();
      source.destroy();
    }
  }

  #later(act: () => void): void {
    if (this.#holding) this.#held.push(act);
    else act();
  }

  #match(from: Cut['from'], message: string | undefined): Cut['how'] | undefined {
    const found = this.#cuts.find(({ cut, done }) => !done && cut.from === from && cut.message === message);
    if (found === undefined) return undefined;
    found.done = true;
    found.meet();
    return found.cut.how;
  }
}

interface Piece {
  readonly bytes: Buffer;
  /** The type of the message in it, if it is one. */
  readonly type: string | undefined;
}

/** Cuts a stream into the HTTP head and whole WebSocket frames (RFC 6455, section 5.2). */
class FrameReader {
  #rest = Buffer.alloc(0);
  #inFrames = false;

  read(chunk: Buffer): Piece[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const pieces: Piece[] = [];
    for (;;) {
      const length = this.#inFrames ? frameLength(this.#rest) : headLength(this.#rest);
      if (length === undefined || length > this.#rest.length) return pieces;
      const bytes = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      pieces.push({ bytes, type: this.#inFrames ? messageType(bytes) : undefined });
      this.#inFrames = true;
    }
  }
}

function headLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(HEAD_END);
  return end < 0 ? undefined : end + HEAD_END.length;
}

interface FrameHead {
  readonly headBytes: number;
  readonly payloadBytes: number;
}

function frameHead(bytes: Buffer): FrameHead | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + lengthBytes) return undefined;
  const maskBytes = isMasked(bytes) ? 4 : 0;
  const payloadBytes =
    lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { headBytes: 2 + lengthBytes + maskBytes, payloadBytes };
}

const isMasked = (frame: Buffer): boolean => (frame.readUInt8(1) & 0x80) !== 0;

function frameLength(bytes: Buffer): number | undefined {
  const head = frameHead(bytes);
  return head && head.headBytes + head.payloadBytes;
}

/** The `type` of a text frame's JSON; undefined for pings, closes and the like. */
function messageType(frame: Buffer): string | undefined {
  const head = frameHead(frame);
  if (head === undefined || (frame.readUInt8(0) & 0x0f) !== 1) return undefined;
  const payload = Buffer.from(frame.subarray(head.headBytes));
  if (isMasked(frame)) {
    const mask = frame.subarray(head.headBytes - 4, head.headBytes);
    for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  }
  const { type } = JSON.parse(payload.toString('utf8')) as { type?: unknown };
  return typeof type === 'string' ? type : undefined;
}
