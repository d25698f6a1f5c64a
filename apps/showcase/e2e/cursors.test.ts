import { describe, expect, it } from "vitest";
import { hasChromium } from "./chromium.ts";
import { Stage, soon } from "./stage.ts";
import type { Visitor } from "./visitor.ts";

describe.skipIf(!hasChromium)("the pointers of others", () => {
  const stage = new Stage();

  it("stand over the messages where their owner points, on a screen of another size too", async () => {
    const ada = await stage.arrive({ room: "pointing", name: "Ada" });
    const grace = await stage.arrive(
      { room: "pointing", name: "Grace" },
      { viewport: { width: 1_500, height: 900 }, reducedMotion: "reduce" },
    );
    for (const visitor of [ada, grace]) await visitor.connection("connected").waitFor();
    for (const [x, y] of [
      [0.5, 0.5],
      [0.2, 0.9],
    ] as const) {
      await ada.point(x, y);
      await grace.cursors("Ada").waitFor();
      await soon(() => placeOf(grace)).toEqual(await placeOfPointer(ada, x, y));
    }
    expect(await ada.page.locator(".cursor").count()).toBe(0);
    await grace.point(0.4, 0.3);
    await ada.cursors("Grace").waitFor();
    // Away from the messages it is gone; and one that rests is not in the way for long.
    await ada.field.hover();
    await soon(() => grace.page.locator(".cursor").count()).toBe(0);
    await soon(() => ada.cursors().count()).toBe(0);
    await grace.point(0.5, 0.3);
    await ada.cursors("Grace").waitFor();
    await grace.page.close();
    await soon(() => ada.page.locator(".cursor").count()).toBe(0);
  });

  it("do not include those of one's own other tabs", async () => {
    const [ada, grace] = await stage.two("own-tabs");
    const tab = await ada.openTab();
    await tab.connection("connected").waitFor();
    await ada.point(0.5, 0.5);
    await grace.cursors("Ada").waitFor();
    await grace.point(0.5, 0.5);
    await tab.cursors("Grace").waitFor();
    expect(await tab.cursors("Ada").count()).toBe(0);
  });

  it("neither come from fingers nor cover a phone", async () => {
    const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
    const ada = await stage.arrive({ room: "fingers", name: "Ada" });
    const grace = await stage.arrive({ room: "fingers", name: "Grace" }, phone);
    await grace.connection("connected").waitFor();
    await soon(() => ada.people.textContent()).toContain("2 here");
    await grace.page.touchscreen.tap(180, 300);
    await ada.point(0.5, 0.5);
    await grace.write("after the touch");
    await ada.message("after the touch").waitFor();
    expect(await ada.page.locator(".cursor").count()).toBe(0);
    expect(await grace.page.locator(".cursor").count()).toBe(0);
  });

  it("R8: of 50 members move at a time, and take nothing from who writes", async () => {
    const crowd = await stage.crowd("crowd", 49);
    const ada = await stage.arrive({ room: "crowd", name: "Ada" });
    await soon(() => ada.people.textContent()).toContain("50 here");
    crowd.move();
    await soon(() => ada.cursors().count()).toBe(49);
    const before = await transforms(ada);
    await soon(async () => {
      const now = await transforms(ada);
      return [...now].filter(([device, transform]) => before.get(device) !== transform).length;
    }).toBe(49);
    await ada.write("among them all");
    await soon(() => ada.delivery("among them all")).toBe("durable");
    crowd.rest();
    await soon(() => ada.cursors().count()).toBe(0);
  });
});

/** Where the one pointer of another stands, by the edges of the column of messages, in hundredths. */
function placeOf({ page }: Visitor): Promise<{ x: number; y: number }> {
  return page.evaluate(() => {
    const column = document.querySelector(".cursor-column")?.getBoundingClientRect() ?? new DOMRect();
    const cursor = document.querySelector(".cursor svg")?.getBoundingClientRect() ?? new DOMRect();
    const hundredths = (value: number) => Math.round(value * 100) / 100;
    return {
      x: hundredths((cursor.left - column.left) / column.width),
      y: hundredths((cursor.top - column.top) / column.height),
    };
  });
}

/** Where a visitor's own pointer is, by the same edges. */
async function placeOfPointer({ page, scroller }: Visitor, x: number, y: number): Promise<{ x: number; y: number }> {
  const [box, column] = [await scroller.boundingBox(), await page.locator(".cursor-column").boundingBox()];
  if (!box || !column) throw new Error("There are no messages to point at.");
  const hundredths = (value: number) => Math.round(value * 100) / 100;
  return {
    x: hundredths((box.x + x * box.width - column.x) / column.width),
    y: hundredths((box.y + y * box.height - column.y) / column.height),
  };
}

/** How each pointer stands, by device. */
async function transforms({ page }: Visitor): Promise<Map<string, string>> {
  const entries = await page
    .locator(".cursor")
    .evaluateAll((marks) =>
      (marks as HTMLElement[]).map((mark): [string, string] => [mark.dataset.cursor ?? "", mark.style.transform]),
    );
  return new Map(entries);
}
