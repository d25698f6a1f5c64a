import { createClient } from "@tandem/client";
import { Cell } from "@tandem/runtime";
import { afterEach, expect, it, vi } from "vitest";
import type app from "../../tandem.config.ts";
import { clientTools } from "./client-tools.ts";

afterEach(() => vi.unstubAllGlobals());

it("works on a page that came over plain HTTP from another machine: there browsers have no randomUUID", async () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const client = createClient<typeof app>({ url: "ws://127.0.0.1:1/ws", guest: { secret: "s".repeat(22) } });
  const names = new Cell(() => "Somebody");
  const tools = clientTools({ client, room: "lobby", self: new Cell(undefined), names, window: "w" });
  try {
    expect(tools.board.add("A card")).toBe(true);
    expect(tools.board.add("Another")).toBe(true);
    expect(tools.unfinished).toBe(true);
  } finally {
    tools.close();
    await client.close();
  }
});
