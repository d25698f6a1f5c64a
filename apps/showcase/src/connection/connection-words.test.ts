import { describe, expect, it } from "vitest";
import { connectionWords } from "./connection-words.ts";

describe("connectionWords", () => {
  it("tells the round trip of a live connection once it is known", () => {
    expect(connectionWords({ kind: "connected", since: 0 }, false, 0).detail).toBe("");
    expect(connectionWords({ kind: "connected", since: 0, latency: 12.4 }, false, 0)).toEqual({
      tone: "good",
      label: "Connected",
      detail: "12 ms",
    });
  });

  it("tells that a WebSocket is blocked", () => {
    const status = { kind: "connected", since: 0, latency: 12, transport: "poll" } as const;
    expect(connectionWords(status, false, 0)).toMatchObject({ label: "Connected over HTTP", detail: "12 ms" });
    expect(connectionWords({ ...status, transport: "websocket" }, false, 0).label).toBe("Connected");
  });

  it("counts down to the next try, and never below zero", () => {
    const status = { kind: "reconnecting", attempt: 2, nextTry: 10_000 } as const;
    expect(connectionWords(status, false, 7_100).detail).toBe("attempt 3, in 3 s");
    expect(connectionWords(status, false, 11_000).detail).toBe("attempt 3, trying now");
  });

  it("says who is the cause of being offline", () => {
    expect(connectionWords({ kind: "offline" }, true, 0).label).toBe("Disconnected");
    expect(connectionWords({ kind: "offline" }, false, 0).label).toBe("Offline");
  });

  it("tells the server's reason for a refusal", () => {
    const refused = {
      kind: "blocked",
      code: "guests-not-admitted",
      message: "This application admits no guests.",
    } as const;
    expect(connectionWords(refused, false, 0).detail).toBe("This application admits no guests.");
  });
});
