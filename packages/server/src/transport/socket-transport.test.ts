import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { FrameWriter } from "./socket-transport.ts";

/** A socket that counts system calls, and what each of them took. */
function countingSocket() {
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
  return { socket, calls };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("writes what is sent within one turn in one call", async () => {
  const writer = new FrameWriter();
  const { socket, calls } = countingSocket();
  for (const letter of ["a", "b", "c"]) writer.write(socket, Buffer.from(letter), true);
  expect(calls).toEqual([]);
  await turn();
  expect(calls).toHaveLength(1);
  expect(Buffer.concat(calls[0] ?? [])).toEqual(Buffer.from("\u0081\u0001a\u0081\u0001b\u0081\u0001c", "latin1"));
  writer.write(socket, Buffer.from("d"), true);
  await turn();
  expect(calls).toHaveLength(2);
});

it("makes the frame of a message that goes to many once", async () => {
  const writer = new FrameWriter();
  const sockets = [countingSocket(), countingSocket(), countingSocket()];
  const message = Buffer.from("to all");
  for (const { socket } of sockets) writer.write(socket, message, false);
  await turn();
  const [first, ...others] = sockets.map(({ calls }) => calls[0]?.[0]);
  expect(first?.[0]).toBe(0x82);
  for (const other of others) expect(other).toBe(first);
});

it("does not take one codec's frame for another's", async () => {
  const writer = new FrameWriter();
  const [text, binary] = [countingSocket(), countingSocket()];
  const message = Buffer.from("same bytes");
  writer.write(text.socket, message, true);
  writer.write(binary.socket, message, false);
  await turn();
  expect([text.calls[0]?.[0]?.[0], binary.calls[0]?.[0]?.[0]]).toEqual([0x81, 0x82]);
});
