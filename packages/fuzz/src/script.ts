import type { CodecName } from "@tandem/protocol";
import * as fc from "fast-check";
import type { Corpus, Message } from "./corpus.ts";
import { CODECS, idOf, MADE, TOKEN } from "./corpus.ts";
import type { ByteMutation } from "./mutation/bytes.ts";
import { byteMutation } from "./mutation/bytes.ts";
import type { HeadMutation } from "./mutation/heads.ts";
import { headMutation } from "./mutation/heads.ts";
import type { TextMutation } from "./mutation/text.ts";
import { textMutation } from "./mutation/text.ts";
import type { ValueMutation } from "./mutation/values.ts";
import { valueMutation } from "./mutation/values.ts";
import { BINARY, frameOf, TEXT } from "./wire.ts";

/** Most frames of one script. Each is followed by a ping, and a server takes 50 of those in ten seconds. */
const MOST_FRAMES = 40;

/** How a connection ends that the server did not end. */
type Ending = "close" | "fin" | "reset";

/** What one hostile connection sends. */
export interface Script {
  readonly codec: CodecName;
  /** Says a right `hello` first. */
  readonly authenticated: boolean;
  /** Which of the run's users it is. */
  readonly user: number;
  readonly ending: Ending;
  /** Milliseconds before each portion of frames: time in which what was asked for before is answered. */
  readonly pause: number;
  /** Whole frames, as they go over the wire. A `last` one may swallow what follows it. */
  readonly frames: readonly { readonly bytes: Buffer; readonly last: boolean }[];
}

/** What a script may put in place of what was recorded and has ended since. */
export interface Supplies {
  /** By user. */
  readonly tokens: readonly string[];
  /** The mint time of producers, as it stands in their ids. */
  readonly minted: string;
}

type Change =
  | { readonly kind: "none" }
  | { readonly kind: "values"; readonly mutate: ValueMutation }
  | { readonly kind: "text"; readonly mutate: TextMutation }
  | { readonly kind: "bytes"; readonly mutate: ByteMutation };

interface Shot {
  /** Which recorded frame, and which other one it is mixed with. */
  readonly base: number;
  readonly other: number;
  /** Chooses producers and sequence numbers. */
  readonly fresh: number;
  readonly change: Change;
}

const place = fc.nat(0xffff);
const shot = (change: fc.Arbitrary<Change>): fc.Arbitrary<Shot> =>
  fc.record({ base: place, other: place, fresh: fc.nat(0xff_ffff), change });
const values = valueMutation.map((mutate): Change => ({ kind: "values", mutate }));
const text = textMutation.map((mutate): Change => ({ kind: "text", mutate }));
const bytes = byteMutation.map((mutate): Change => ({ kind: "bytes", mutate }));

/** Those that most often leave the connection standing come first, and those that end it last. */
const recipe = fc.record({
  codec: fc.constantFrom<CodecName>("json", "json", "msgpack"),
  authenticated: fc.nat(9).map((chance) => chance > 0),
  user: fc.nat(0xffff),
  ending: fc.constantFrom<Ending>("close", "fin", "reset", "reset"),
  pause: fc.constantFrom(0, 0, 0, 2, 20),
  soft: fc.array(
    shot(
      fc.oneof(
        { arbitrary: values, weight: 9 },
        { arbitrary: fc.constant<Change>({ kind: "none" }), weight: 3 },
        { arbitrary: text, weight: 1 },
      ),
    ),
    { minLength: 12, maxLength: MOST_FRAMES - 6, size: "max" },
  ),
  hard: fc.array(shot(fc.oneof({ arbitrary: bytes, weight: 3 }, { arbitrary: text, weight: 1 })), {
    minLength: 1,
    maxLength: 1,
  }),
  head: fc.option(fc.tuple(shot(fc.oneof(values, bytes)), headMutation), { freq: 2 }),
});

/** Script number `number` of a run. The same for the same arguments. */
export function scriptOf(corpus: Corpus, supplies: Supplies, seed: number, number: number): Script {
  const [made] = fc.sample(recipe, { numRuns: 1, seed: mix(seed, number) });
  if (!made) throw new Error("nothing was made");
  const { codec, authenticated, user, ending, pause, soft, hard, head } = made;
  const kit: Kit = { codec, user, frames: corpus[codec], supplies };
  const frames = [...soft, ...hard].map((one) => ({ bytes: wire(codec, payloadOf(kit, one)), last: false }));
  if (head) frames.push({ bytes: wire(codec, payloadOf(kit, head[0]), head[1]), last: true });
  // Before `hello` nearly everything ends the connection: few frames do.
  return { codec, authenticated, user, ending, pause, frames: authenticated ? frames : frames.slice(-4) };
}

interface Kit {
  readonly codec: CodecName;
  readonly user: number;
  readonly frames: readonly (readonly Message[])[];
  readonly supplies: Supplies;
}

function payloadOf(kit: Kit, { base, other, fresh, change }: Shot): Buffer {
  const { codec, frames } = kit;
  const pick = (at: number) => frames[at % frames.length] ?? [];
  const messages = freshened(pick(base), fresh, kit);
  const others = freshened(pick(other), fresh + 1, kit);
  switch (change.kind) {
    case "none":
      return encode(codec, messages);
    case "values":
      return encode(codec, change.mutate(messages, others));
    case "text":
      if (codec === "msgpack") return encode(codec, messages);
      return Buffer.from(change.mutate(encode(codec, messages).toString()));
    case "bytes":
      return change.mutate(encode(codec, messages), encode(codec, others));
  }
}

/** Nonces of a user's commands: few, so that what one command speaks of another has made. */
const NONCES = 8;

/**
 * A copy with tokens that are accepted, producers some of which have said nothing yet and some of which have, and the ids of what was made: mostly
 * by this user.
 */
function freshened(messages: readonly Message[], fresh: number, { user, supplies }: Kit): unknown[] {
  const { tokens, minted } = supplies;
  const maker = fresh % 8 === 0 ? fresh >> 3 : user;
  const made = idOf(`user-${maker % tokens.length}`, nonceOf(fresh >> 5));
  const known = JSON.parse(JSON.stringify(messages).replaceAll(MADE, made)) as Message[];
  return known.map((message) => {
    if (message.token === TOKEN) return { ...message, token: tokens[fresh % tokens.length] };
    // Positions are of another life of the channel now; before every life there is one that is always known.
    if (message.type === "state" && "at" in message && fresh % 3 > 0)
      return { ...message, at: { epoch: "-", offset: 0, tag: "" } };
    // What was never sent may not be acknowledged: who always did would not get far.
    if (message.type === "received" && fresh % 100 > 0) return { ...message, frames: 1 };
    if (message.type !== "publish" && message.type !== "command") return message;
    const isKnown = fresh % 4 === 0;
    const letters = (isKnown ? fresh % 64 : fresh).toString(36).padStart(22, "f");
    const line = { producer: `${minted}-${letters}`, seq: isKnown ? 1 + ((fresh >> 8) % 8) : 1 };
    return message.type === "publish" ? { ...message, ...line } : { ...message, ...line, nonce: nonceOf(fresh >> 9) };
  });
}

function nonceOf(fresh: number): string {
  return `nonce-${fresh % NONCES}`.padEnd(22, "-");
}

function encode(codec: CodecName, messages: readonly unknown[]): Buffer {
  const { encode: write, join } = CODECS[codec];
  const written = messages.flatMap((message) => {
    try {
      const one = write.call(CODECS[codec], message as object);
      return one === undefined ? [] : [one];
    } catch {
      // Not everything that fast-check makes can be written in every codec: a symbol, a number without end.
      return [];
    }
  });
  if (written.length === 0) return Buffer.alloc(0);
  return Buffer.from(join.call(CODECS[codec], written) as string);
}

function wire(codec: CodecName, payload: Buffer, head: HeadMutation = {}): Buffer {
  return frameOf(payload, { opcode: codec === "json" ? TEXT : BINARY, ...head });
}

/** One seed of a run's seed and a number. */
function mix(seed: number, number: number): number {
  return Math.imul(seed ^ Math.imul(number + 1, 0x9e37_79b1), 0x85eb_ca6b) | 0;
}
