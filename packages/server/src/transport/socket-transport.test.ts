import { Duplex } from "node:stream";
import { constants, inflateRawSync } from "node:zlib";
import type { Codec } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import { expect, it } from "vitest";
import type { WebSocket } from "ws";
import { Frame } from "../delivery/frame.ts";
import { SocketTransport } from "./socket-transport.ts";

/** A transport on a socket that counts system calls, and what each of them took. */
function counting(codec: Codec = jsonCodec, compressAbove?: number) {
  const calls: Buffer[][] = [];
  const socket = new Duplex({
    read() {},
    write(chunk, _, done) {
      calls.push([chunk]);
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => chunk as Buffer));
      done();
    },
  });
  const webSocket = { readyState: 1, OPEN: 1, close() {} } as unknown as WebSocket;
  return { calls, transport: new SocketTransport(webSocket, socket, codec, "192.0.2.1", compressAbove) };
}

const frame = (text: string) => new Frame(Buffer.from(text));

it("D13: writes what one flush brings in one call", () => {
  const { transport, calls } = counting();
  for (const letter of ["a", "b", "c"]) transport.send(frame(letter));
  expect(calls).toEqual([]);
  transport.flush();
  expect(calls).toHaveLength(1);
  expect(Buffer.concat(calls[0] ?? [])).toEqual(Buffer.from("\u0081\u0001a\u0081\u0001b\u0081\u0001c", "latin1"));
  transport.send(frame("d"));
  transport.flush();
  expect(calls).toHaveLength(2);
  transport.flush();
  expect(calls).toHaveLength(2);
});

it("D14: makes the bytes of a frame that goes to many once", () => {
  const many = [counting(), counting(), counting()];
  const shared = frame("to all");
  for (const { transport } of many) {
    transport.send(shared);
    transport.flush();
  }
  const [first, ...others] = many.map(({ calls }) => calls[0]?.[0]);
  expect(first?.[0]).toBe(0x81);
  for (const other of others) expect(other).toBe(first);
});

it("marks frames of MessagePack as binary", () => {
  const { transport, calls } = counting(msgpackCodec);
  transport.send(frame("bytes"));
  transport.flush();
  expect(calls[0]?.[0]?.[0]).toBe(0x82);
});

it("D16: compresses what is long enough, once for all who agreed to it, and leaves the rest as it is", () => {
  const many = [counting(jsonCodec, 100), counting(jsonCodec, 100), counting()];
  const [long, short] = [frame("long ".repeat(100)), frame("short")];
  for (const { transport } of many) {
    transport.send(long);
    transport.send(short);
    transport.flush();
  }
  const [one, two, plain] = many.map(({ calls }) => calls[0] ?? []);
  expect(one?.[0]).toBe(two?.[0]);
  expect(one?.[0]?.[0]).toBe(0xc1);
  expect(one?.[0]?.length).toBeLessThan(60);
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  const message = Buffer.concat([one?.[0]?.subarray(2) ?? tail, tail]);
  const inflated = inflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH });
  expect(inflated.toString()).toBe("long ".repeat(100));
  expect(one?.[1]?.[0]).toBe(0x81);
  expect(plain?.[0]?.[0]).toBe(0x81);
});
