import { afterEach, beforeEach, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { measureChanges, measureDocument, measureJoin } from "./round.ts";
import { Screen } from "./screen.ts";
import { Servers } from "./servers.ts";

const RECORDS = 300;
let data: DataFolder;
let servers: Servers;

beforeEach(async () => {
  data = new DataFolder();
  servers = await Servers.start(data.path, RECORDS, []);
});
afterEach(async () => {
  await servers.end();
  data.remove();
});

it("every record comes, both ways, and every change to every screen", async () => {
  const joined = await measureJoin(servers, RECORDS);
  expect(joined.bytes).toBeGreaterThan(0);
  expect(joined.firstPageMs).toBeLessThanOrEqual(joined.joinMs);
  expect((await measureDocument(servers, RECORDS)).bytes).toBeGreaterThan(RECORDS * 100);
  const work = { records: RECORDS, screens: 3, changes: 5, pauseMs: 0 };
  expect(await measureChanges(servers, work)).toBeGreaterThan(0);
});

it("a record that is not there fails the run", async () => {
  await expect(measureJoin(servers, RECORDS + 1)).rejects.toThrow("of 301 records 300 came");
  await expect(measureDocument(servers, RECORDS + 1)).rejects.toThrow("record 300 of the document is another one");
  const screen = new Screen(servers.ports.tandem);
  await screen.connected();
  await screen.join();
  expect(() => screen.check(RECORDS, new Map([[7, -1]]))).toThrow("record 7 is another one");
  await screen.leave();
});
