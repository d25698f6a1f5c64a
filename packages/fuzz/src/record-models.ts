import type { Channel, Client, Model, Sent } from "@tandem/client";
import { model } from "@tandem/client";
import type { app } from "./app.ts";
import { models } from "./app.ts";

type FuzzClient = Client<typeof app>;
type Desk = Channel<typeof app, "desk">;

/** A conversation about models: each kind of command, some that are refused, and states, whole and in pieces, of now and of before. */
export async function useModels(member: FuzzClient, guest: FuzzClient, id: string): Promise<void> {
  const [desk, late] = [member.channel("desk", id), guest.channel("desk", id)];
  const board = model(desk, "board", models.board);
  const count = model(desk, "count", models.count);
  await Promise.all([board, count].map(ready));
  await settled(count.send("add", { by: 2 }));
  const { position } = await settled(count.send("reset", { to: 7 }));
  await settled(count.undo());
  await useBoard(board);
  await useVotes(desk, late);
  await useLocks(desk, late);
  await useJobs(desk);
  await useChat(desk, late);
  if (position) await count.at(position);
  await board.changes({ limit: 3 });
  // Whoever comes now loads what there is, piece by piece.
  await Promise.all(
    (["board", "votes", "jobs", "chat"] as const).map((name) => ready(model(late, name, models[name]))),
  );
  // What waits offline is sent together.
  member.disconnect();
  const waiting = [
    board.send("create", { collection: "cards", id: "late-1", value: { title: "later", done: false } }),
    board.send("patch", { collection: "cards", id: "late-1", fields: { done: true } }),
    count.send("add", {}),
  ];
  member.connect();
  await Promise.all(waiting.map(settled));
  for (const use of [board, count]) use.close();
}

async function useBoard(board: Model<typeof models.board>): Promise<void> {
  const collection = "cards";
  const value = { title: "one", done: false };
  await settled(board.send("create", { collection, id: "one", value, after: null }));
  await settled(board.send("create", { collection, value: { ...value, note: "é" }, after: "one" }));
  await settled(board.send("patch", { collection, id: "one", fields: { done: true }, base: { done: false } }));
  await settled(board.send("patch", { collection, id: "one", fields: { title: "two" } }));
  await settled(board.send("patch", { collection, id: "one", fields: { note: "n" }, clear: ["note"], strict: true }));
  await settled(board.send("set", { collection, id: "one", value, base: value }));
  await settled(board.send("move", { collection, id: "one", place: "V" }));
  await settled(board.undo());
  await settled(board.send("remove", { collection, id: "one", base: value }));
  await settled(board.send("remove", { collection, id: "one" }));
  await settled(board.undo());
  await settled(board.redo());
}

async function useVotes(desk: Desk, other: Desk): Promise<void> {
  const votes = model(desk, "votes", models.votes);
  const others = model(other, "votes", models.votes);
  await ready(others);
  const options = ["a", "b", "c"];
  const about = { channel: "desk:1", position: { epoch: "e", offset: 1, tag: "t" } };
  await settled(votes.send("propose", { title: "open", options, veto: ["ada"], about, text: "t" }));
  const [open = ""] = await ids(others);
  await settled(votes.send("cast", { proposal: open, choice: 1 }));
  await settled(others.send("cast", { proposal: open, choice: null }));
  await settled(others.send("close", { proposal: open }));
  await settled(votes.send("veto", { proposal: open, reason: "no" }));
  const electorate = { ada: 2, "user-1": 1, "user-2": 1 };
  const deadline = Date.now() + 3_600_000;
  const rules = { electorate, quorum: { share: 0.5 }, early: false, changes: false, deadline };
  await settled(votes.send("propose", { title: "secret", options, ballots: "secret", ...rules }));
  const secret = (await ids(others)).find((id) => id !== open) ?? "";
  await settled(votes.send("cast", { proposal: secret, choice: [2, 0] }));
  await settled(votes.send("withdraw", { proposal: secret }));
  const method = { kind: "super-majority", share: 0.6 } as const;
  await settled(votes.send("propose", { title: "hidden", options, ballots: "hidden", method, quorum: { voters: 2 } }));
  await settled(votes.send("propose", { title: "ranked", options, method: { kind: "ranked" }, changes: true }));
  votes.close();
}

async function useLocks(desk: Desk, other: Desk): Promise<void> {
  const locks = model(desk, "locks", models.locks);
  const others = model(other, "locks", models.locks);
  await Promise.all([locks, others].map(ready));
  const lock = "draft";
  await settled(locks.send("acquire", { lock, owner: "tab", ttl: 5_000, wait: true }));
  await settled(others.send("acquire", { lock, wait: false }));
  await settled(others.send("acquire", { lock }));
  await settled(others.send("request", { lock, message: "please" }));
  const state = locks.state.get();
  const token = state.kind === "ready" ? (state.value.locks.get(lock)?.token ?? 0) : 0;
  await desk.publish("saved", { text: "mine" }, { fence: { name: "locks/draft", token } }).durable.catch(() => {});
  await settled(locks.send("renew", { lock, owner: "tab" }, { fence: { name: "locks/draft", token } }));
  await settled(others.send("leave", { lock }));
  await settled(locks.send("handOver", { lock, owner: "tab", to: "user-1", toOwner: "x" }));
  await settled(locks.send("break", { lock, reason: "stuck" }));
  await settled(locks.send("release", { lock, owner: "tab" }));
  locks.close();
}

async function useJobs(desk: Desk): Promise<void> {
  const jobs = model(desk, "jobs", models.jobs);
  await ready(jobs);
  const backoff = { first: 0, most: 10 };
  const input = { pages: [1, 2, 3] };
  await settled(
    jobs.send("start", { title: "render", steps: ["one", "two"], estimate: 10, input, retries: 2, backoff }),
  );
  await settled(jobs.send("claim", { worker: "w-1", lease: 5_000 }));
  const [job = ""] = await idsOf(jobs);
  const held = { job, token: tokenOf(jobs, job) };
  await settled(jobs.send("heartbeat", held));
  await settled(jobs.send("progress", { ...held, progress: 0.5, step: "one", text: "t", checkpoint: { page: 2 } }));
  await settled(jobs.send("log", { ...held, lines: ["a", "b"] }));
  const fence = { name: `jobs/${job}`, token: held.token };
  await desk.publish("noted", { job, text: "by its worker" }, { fence }).durable;
  await settled(jobs.send("fail", { ...held, error: { code: "e", message: "m", recoverable: true } }));
  await settled(jobs.send("release", held));
  await settled(jobs.send("claim", { worker: "w-2", job }));
  await settled(jobs.send("complete", { job, token: tokenOf(jobs, job), result: { pages: 3 } }));
  await settled(jobs.send("start", { title: "again" }));
  await settled(jobs.send("cancel", { job, reason: "not needed" }));
  jobs.close();
}

function tokenOf({ state }: Model<typeof models.jobs>, job: string): number {
  const now = state.get();
  return now.kind === "ready" ? (now.value.jobs.get(job)?.token ?? 0) : 0;
}

async function useChat(desk: Desk, other: Desk): Promise<void> {
  const chat = model(desk, "chat", models.chat);
  const others = model(other, "chat", models.chat);
  await Promise.all([chat, others].map(ready));
  await settled(chat.send("send", { text: "hello", extra: { image: "x" }, mentions: ["user-1"] }));
  const state = chat.state.get();
  const [id = ""] = state.kind === "ready" ? state.value.items.keys() : [];
  await settled(others.send("react", { id, reaction: "👍" }));
  await settled(others.send("read", { id }));
  await settled(chat.send("edit", { id, text: "hello!", was: "hello" }));
  await settled(chat.send("begin", { stream: "stream:1", replyTo: id }));
  await settled(chat.send("finish", { id, text: "whole", aborted: "lost" }));
  await settled(chat.send("remove", { id }));
  chat.close();
}

async function ready(use: { readonly state: { get(): { readonly kind: string } } }): Promise<void> {
  while (use.state.get().kind !== "ready") await new Promise((resolve) => setTimeout(resolve, 5));
}

async function ids(votes: Model<typeof models.votes>): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const state = votes.state.get();
  return state.kind === "ready" ? [...state.value.proposals.keys()] : [];
}

async function idsOf(jobs: Model<typeof models.jobs>): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const state = jobs.state.get();
  return state.kind === "ready" ? [...state.value.jobs.keys()] : [];
}

/** Waits for what became of a command: also a refusal is one. */
async function settled(sent: Pick<Sent, "settled"> | undefined) {
  const outcome = await sent?.settled;
  return outcome?.kind === "confirmed" ? outcome : { position: undefined };
}
