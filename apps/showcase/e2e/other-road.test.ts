import { describe, expect, it } from "vitest";
import type { Behaviour } from "../../server/e2e/middlebox.ts";
import { hasChromium } from "./chromium.ts";
import { Stage, soon } from "./stage.ts";
import type { Visitor } from "./visitor.ts";

describe.skipIf(!hasChromium)("where WebSocket is blocked", () => {
  const stage = new Stage();

  it.each(["refuse", "swallow"] as const)(
    "T6 G1 G2 G3: a room works over HTTP through a proxy that %ss upgrades, over a crash of the server, and comes back",
    async (upgrades) => {
      const { proxy, origin } = await stage.proxy({ upgrades });
      const room = `proxy-${upgrades}`;
      const ada = await stage.arrive({ room, name: "Ada", url: origin });
      const grace = await stage.arrive({ room, name: "Grace" });
      await soon(() => label(ada)).toBe("Connected over HTTP");
      await soon(() => label(grace)).toBe("Connected");

      await ada.write("over HTTP");
      await grace.message("over HTTP").waitFor();
      await grace.write("over WebSocket");
      await ada.message("over WebSocket").waitFor();
      await soon(() => ada.people.textContent()).toContain("2 here");
      await soon(() => grace.people.textContent()).toContain("2 here");
      await ada.point(0.5, 0.5);
      await grace.cursors("Ada").waitFor();
      await grace.point(0.4, 0.4);
      await ada.cursors("Grace").waitFor();
      await ada.field.pressSequentially("Hm");
      await soon(() => grace.page.locator("[data-typing]").allTextContents()).toEqual(["Ada is typing…"]);

      const said = (name: string) => Array.from({ length: 12 }, (_, index) => `${name} ${index + 1}`);
      const speak = async (visitor: Visitor, texts: readonly string[]) => {
        for (const text of texts) await visitor.write(text);
      };
      const speaking = Promise.all([speak(ada, said("ada")), speak(grace, said("grace"))]);
      await grace.message("ada 4").waitFor();
      await stage.server.kill();
      await speaking;
      await stage.server.restart();
      await soon(() => ada.delivery("ada 12")).toBe("durable");
      await soon(() => grace.delivery("grace 12")).toBe("durable");
      await ada.message("grace 12").waitFor();
      await grace.message("ada 12").waitFor();
      const lists = await Promise.all([ada.everyText(), grace.everyText()]);
      expect(lists[1]).toEqual(lists[0]);
      expect(lists[0].toSorted()).toEqual(["over HTTP", "over WebSocket", ...said("ada"), ...said("grace")].toSorted());
      await soon(() => label(ada)).toBe("Connected over HTTP");
      await soon(() => grace.people.textContent()).toContain("2 here");

      proxy.behaviour.upgrades = "pass";
      await ada.page.evaluate(() => window.dispatchEvent(new Event("online")));
      await soon(() => label(ada)).toBe("Connected");
      await ada.write("back again");
      await grace.message("back again").waitFor();
      expect(await grace.people.textContent()).toContain("2 here");
      await ada.point(0.6, 0.6);
      await grace.cursors("Ada").waitFor();
    },
    180_000,
  );

  it("T6 G3: works over server-sent events, through cuts, and comes back to a WebSocket by itself", async () => {
    const { proxy, ada, grace } = await behind("cuts", { upgrades: "refuse", cutsAfterMs: 3_000 });
    for (const visitor of [ada, grace]) await over(visitor, "sse").waitFor();
    for (const about of ["first", "second", "third"]) {
      await talk(ada, grace, about);
      proxy.kill();
    }
    expect(proxy.count("upgrade")).toBe(0);
    // A page that is opened now does not wait for a WebSocket first.
    await grace.page.reload();
    await over(grace, "sse").waitFor();
    proxy.behaviour.upgrades = "pass";
    for (const visitor of [ada, grace]) await over(visitor, "websocket").waitFor({ timeout: 60_000 });
    await talk(ada, grace, "back");
    const all = ["first", "second", "third", "back"].flatMap((about) => [`${about}: Ada`, `${about}: Grace`]);
    expect(await ada.texts()).toEqual(all);
    expect(await grace.texts()).toEqual(all);
  }, 120_000);

  it("T6: works over long polls where responses are held back, too", async () => {
    const { ada, grace } = await behind("held-back", { upgrades: "swallow", buffers: true });
    for (const visitor of [ada, grace]) await over(visitor, "poll").waitFor();
    for (const about of ["first", "second"]) await talk(ada, grace, about);
    expect(await ada.texts()).toEqual(await grace.texts());
    await soon(() => ada.people.textContent()).toContain("2 here");
    await ada.point(0.5, 0.5);
    await grace.cursors("Ada").waitFor();
  }, 120_000);

  /** Two people in one room, both behind the same proxy. */
  async function behind(room: string, behaviour: Partial<Behaviour>) {
    const { proxy, origin } = await stage.proxy(behaviour);
    const arrive = (name: string) => stage.arrive({ room, name, url: origin });
    const [ada, grace] = await Promise.all([arrive("Ada"), arrive("Grace")]);
    return { proxy, ada, grace };
  }
});

const over = (visitor: Visitor, transport: string) => visitor.page.locator(`[data-transport="${transport}"]`);

async function talk(ada: Visitor, grace: Visitor, about: string): Promise<void> {
  await ada.write(`${about}: Ada`);
  await grace.message(`${about}: Ada`).waitFor();
  await grace.write(`${about}: Grace`);
  await ada.message(`${about}: Grace`).waitFor();
  await soon(() => ada.delivery(`${about}: Ada`)).toBe("durable");
}

/** How the connection stands, as the header says. */
function label({ page }: Visitor): Promise<string | null> {
  return page.locator("[data-connection] [role=status]").textContent();
}
