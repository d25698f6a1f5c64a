import type { ChatState, LockState, Proposal, RecordsState, Table, VoteState } from "@tandem/model";
import type { FenceToken } from "@tandem/protocol";
import type { Random } from "../random.ts";
import type { OfficeModel } from "./desk.ts";
import { LONGEST_TTL, protect } from "./desk.ts";

/** A command that somebody may send. */
export interface Draft {
  readonly command: string;
  readonly input: unknown;
  readonly fence?: FenceToken | undefined;
  /** Shown by the state that it leads to. */
  readonly label?: string | undefined;
}

/** What a draft is made from. */
export interface Desktop {
  readonly random: Random;
  /** No two commands have the same. */
  readonly n: number;
  readonly user: string;
  readonly users: readonly string[];
  /** Milliseconds since 1970, about. */
  readonly time: number;
  /** As the one who sends it sees it; `undefined`: not yet. */
  readonly state: object | undefined;
  token(lock: string): FenceToken | undefined;
  whisper(text: string, to: string): void;
}

/** Share of commands that cannot be. */
const WRONG = 0.04;

/** A command for a model, made from what its sender sees. */
export function draft(name: OfficeModel, desktop: Desktop): Draft {
  const { random, n } = desktop;
  if (random.chance(WRONG))
    return random.chance(0.5) ? { command: "explode", input: {} } : { command: WRONGLY[name], input: { n } };
  switch (name) {
    case "votes":
      return voting(desktop, desktop.state as VoteState | undefined);
    case "locks":
      return locking(desktop, desktop.state as LockState | undefined);
    case "board":
      return fenced(desktop, drawing(desktop, desktop.state as Board | undefined));
    case "talk":
      return talking(desktop, desktop.state as ChatState | undefined);
    case "count":
      return random.chance(0.85)
        ? { command: "add", input: { by: random.pick([-4, -2, -1, 0, 1, 1, 2, 3, 5]) } }
        : {
            command: "reset",
            input: { to: random.whole(0, 14), ...(random.chance(0.5) && { from: random.whole(0, 12) }) },
          };
    case "purse":
      return handling(desktop);
  }
}

const WRONGLY: Record<OfficeModel, string> = {
  votes: "propose",
  locks: "acquire",
  board: "create",
  talk: "send",
  count: "reset",
  purse: "put",
};

type Board = RecordsState<Readonly<Record<string, never>>>;

function voting({ random, n, time, users }: Desktop, state: VoteState | undefined): Draft {
  const open = state ? [...state.proposals.values()] : [];
  const proposal = open.length > 0 ? random.pick(open) : undefined;
  if (!proposal || random.chance(0.25)) {
    const electorate = Object.fromEntries(users.map((user) => [user, random.whole(1, 3)]));
    return {
      command: "propose",
      input: {
        title: `proposal ${n}`,
        options: ["a", "b", "c"],
        method: random.pick([
          { kind: "majority" },
          { kind: "unanimous" },
          { kind: "ranked" },
          { kind: "approval" },
          { kind: "weighted" },
        ]),
        ballots: random.pick(["open", "hidden", "secret"]),
        changes: random.chance(0.5),
        early: random.chance(0.5),
        veto: random.chance(0.3) ? [random.pick(users)] : [],
        ...(random.chance(0.6) && { electorate }),
        ...(random.chance(0.3) && { quorum: { voters: random.whole(1, 3) } }),
        ...(random.chance(0.6) && { deadline: Math.floor(time + random.between(300, 8_000)) }),
      },
    };
  }
  const { id } = proposal;
  const what = random.weighted({ cast: 20, close: 2, withdraw: 1, veto: 1 });
  if (what === "cast") return { command: what, input: { proposal: id, choice: choiceIn(random, proposal) } };
  return { command: what, input: { proposal: id, ...(what === "veto" && { reason: "no" }) } };
}

function choiceIn(random: Random, { method }: Proposal): number | number[] | null {
  if (random.chance(0.1)) return null;
  const several = method.kind === "ranked" || method.kind === "approval";
  if (several === random.chance(0.95)) return random.pick([[0], [1, 0], [2, 1, 0], [1], [2, 0]]);
  return random.whole(0, 2);
}

function locking({ random, user, users }: Desktop, state: LockState | undefined): Draft {
  const lock = random.pick(["draft", "draft", "plan", "plan", "key"]);
  const mine = state ? [...state.locks].filter(([, { holder }]) => holder?.user === user).map(([name]) => name) : [];
  const ttl = random.pick([200, 900, 3_000, LONGEST_TTL]);
  const what = random.weighted({ acquire: 10, renew: 3, release: 4, handOver: 2, request: 2, break: 1, leave: 2 });
  const held = mine.length > 0 && random.chance(0.8) ? random.pick(mine) : lock;
  switch (what) {
    case "acquire":
      return { command: what, input: { lock, ttl, wait: random.chance(0.7) } };
    case "renew":
      return { command: what, input: { lock: held, ttl } };
    case "release":
      return { command: what, input: { lock: held } };
    case "handOver":
      return { command: what, input: { lock: held, to: random.pick(users) } };
    case "break":
      return { command: what, input: { lock, reason: "now" } };
    default:
      return { command: what, input: { lock } };
  }
}

function drawing({ random, n }: Desktop, state: Board | undefined): Draft {
  const collection = random.pick(["cards", "cards", "cards", "plan"]);
  const table = state?.[collection] as
    | Table<{ id: string; value: Record<string, unknown>; place?: string }>
    | undefined;
  const entries = table ? [...table.values()] : [];
  const fresh = { label: `card ${n}`, title: `t${n}`, votes: 0 };
  const entry = entries.length > 0 ? random.pick(entries) : undefined;
  if (!entry || random.chance(0.25))
    return {
      command: "create",
      input: { collection, value: fresh, ...(random.chance(0.3) && { after: entry?.id ?? null }) },
    };
  const { id, value, place } = entry;
  const base = random.chance(0.9) ? { base: value } : {};
  const what = random.weighted({ patch: 12, set: 3, remove: 3, restore: 1, move: 4 });
  switch (what) {
    case "patch":
      return {
        command: what,
        input: {
          collection,
          id,
          fields: random.chance(0.5) ? { title: `t${n}` } : { votes: Number(value.votes) + 1 },
          ...base,
        },
      };
    case "set":
      return { command: what, input: { collection, id, value: fresh, ...base } };
    case "remove":
      return { command: what, input: { collection, id, ...base } };
    case "restore":
      return { command: what, input: { collection, id: `old${random.whole(1, 3)}`, value: fresh } };
    case "move":
      return {
        command: what,
        input: {
          collection,
          id,
          after: random.pick([null, ...entries.map((one) => one.id)]),
          ...(random.chance(0.4) && place && { from: place }),
        },
      };
  }
}

function talking({ random, n, users }: Desktop, state: ChatState | undefined): Draft {
  const items = state ? [...state.items.values()] : [];
  const item = items.length > 0 ? random.pick(items) : undefined;
  const mentions = random.chance(0.3) ? { mentions: [random.pick(users)] } : {};
  if (!item || random.chance(0.4)) {
    return random.chance(0.85)
      ? { command: "send", input: { text: `message ${n}`, ...mentions } }
      : { command: "begin", input: { stream: `stream:${n}`, ...mentions } };
  }
  const { id, text } = item;
  const what = random.weighted({ finish: 3, edit: 6, remove: 3, react: 8, read: 5 });
  switch (what) {
    case "finish":
      return { command: what, input: { id, text: `message ${n}` } };
    case "edit":
      return { command: what, input: { id, text: `message ${n}`, ...(random.chance(0.7) && { was: text }) } };
    case "react":
      return { command: what, input: { id, reaction: random.pick(["+", "-", "!", "?"]), on: random.chance(0.7) } };
    default:
      return { command: what, input: { id } };
  }
}

function handling({ random, n, users, whisper }: Desktop): Draft {
  const label = `l${n}`;
  const what = random.weighted({ put: 8, take: 8, say: 10, whisper: 5, nothing: 2, hide: 4 });
  switch (what) {
    case "put":
      return { command: what, label, input: { label, amount: random.whole(0, 9), parts: random.whole(1, 3) } };
    case "take":
      return { command: what, input: { label, amount: random.whole(1, 12) } };
    case "whisper": {
      const to = random.pick(users);
      whisper(`psst-${n}`, to);
      return { command: what, input: { label, to, text: `psst-${n}`, first: random.whole(0, 1) } };
    }
    case "hide":
      return { command: what, input: { label, value: `hush-${n}`, ms: random.whole(100, 6_000) } };
    case "say":
      return { command: what, label, input: { label } };
    case "nothing":
      return { command: what, input: { label } };
  }
}

/** With the token of its lock, where it takes one and there is one. */
function fenced({ token, random }: Desktop, made: Draft): Draft {
  const lock = protect({ model: "board", input: made.input });
  return lock === undefined || random.chance(0.1) ? made : { ...made, fence: token(lock) };
}
