import { describe, expect, it } from "vitest";
import { FrameReader } from "./frame-reader.ts";

/** An unmasked frame as a server sends it. */
function frame(text: string, first = 0x81): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = first;
  if (head.length === 2) head[1] = payload.length;
  else if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  else head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (head.length > 2) head[1] = head.length === 4 ? 126 : 127;
  return Buffer.concat([head, payload]);
}

function reader() {
  const heard: string[] = [];
  const read = new FrameReader({
    message: (bytes, start, end) => heard.push(bytes.toString("utf8", start, end)),
    ping: () => heard.push("ping"),
    closed: (code) => heard.push(`closed ${code}`),
  });
  return { heard, read };
}

describe("FrameReader", () => {
  const texts = ["", "short", "m".repeat(300), "l".repeat(70_000), "last"];

  it("reads messages of every length, however the bytes are cut", () => {
    const bytes = Buffer.concat(texts.map((text) => frame(text)));
    for (const size of [997, 65_536, bytes.length]) {
      const { heard, read } = reader();
      for (let at = 0; at < bytes.length; at += size) read.push(Buffer.from(bytes.subarray(at, at + size)));
      expect(heard).toEqual(texts);
    }
  });

  it("reads them byte by byte", () => {
    const { heard, read } = reader();
    for (const byte of Buffer.concat([frame("one"), frame("t".repeat(200))])) read.push(Buffer.from([byte]));
    expect(heard).toEqual(["one", "t".repeat(200)]);
  });

  it("keeps what a piece has cut in two, though the piece is overwritten", () => {
    const { heard, read } = reader();
    const bytes = frame("kept");
    const piece = Buffer.from(bytes.subarray(0, 4));
    read.push(piece);
    piece.fill(0);
    read.push(bytes.subarray(4));
    expect(heard).toEqual(["kept"]);
  });

  it("tells pings and the close code, and refuses what comes in several frames", () => {
    const { heard, read } = reader();
    read.push(Buffer.concat([frame("", 0x89), frame("\u0003\u00e8", 0x88)]));
    expect(heard[0]).toBe("ping");
    expect(() => read.push(frame("part", 0x01))).toThrow("no server here");
  });
});
