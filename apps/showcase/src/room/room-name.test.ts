import { describe, expect, it } from "vitest";
import { addressOfRoom, roomId, roomOfAddress } from "./room-name.ts";

describe("room names", () => {
  it("makes one id of the ways to write a name", () => {
    expect(roomId("  Team Lunch ")).toBe("team-lunch");
    expect(roomId("Café")).toBe("cafe");
    expect(roomId("../../etc:passwd")).toBe("etc-passwd");
    expect(roomId(`${"x".repeat(39)} y`)).toBe("x".repeat(39));
    expect(roomId("¿?")).toBeUndefined();
  });

  it("reads and writes addresses", () => {
    expect(roomOfAddress("?room=tea")).toBe("tea");
    expect(roomOfAddress("?room=%3Cscript%3E")).toBe("script");
    expect(roomOfAddress("")).toBe("lobby");
    expect(roomOfAddress(addressOfRoom("team-lunch"))).toBe("team-lunch");
  });
});
