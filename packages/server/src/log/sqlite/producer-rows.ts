import type { DatabaseSync, StatementSync } from "node:sqlite";
import { mintedAt } from "@tandem/protocol";
import type { Outcome, Producer, Refusal } from "../log.ts";
import type { ChannelRow } from "./channel-rows.ts";
import type { Value } from "./flat.ts";

/** Rows remembered between commits; over it they are all forgotten and read again. */
const REMEMBERED = 50_000;

/** A producer's mark on a channel as the running transaction sees it. */
export interface ProducerRow {
  readonly id: number;
  mark: number;
  used: number;
}

/** The producers' rows and the rings of their outcomes. Rows are written once a commit, outcomes at once. */
export class ProducerRows {
  readonly #window: number;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #count: StatementSync;
  readonly #selectOutcome: StatementSync;
  readonly #replaceOutcome: StatementSync;
  readonly #rows = new Map<string, ProducerRow>();
  readonly #counts = new Map<string, number>();
  readonly #changed = new Set<ProducerRow>();

  /** @param window outcomes kept per producer */
  constructor(database: DatabaseSync, window: number) {
    this.#window = window;
    this.#select = database.prepare(
      "SELECT id, mark, used FROM producers WHERE owner = ? AND producer = ? AND channel = ?",
    );
    this.#insert = database.prepare(
      "INSERT INTO producers (owner, producer, channel, minted, mark, used) VALUES (?, ?, ?, ?, 0, ?)",
    );
    this.#update = database.prepare("UPDATE producers SET mark = ?, used = ? WHERE id = ?");
    this.#count = database.prepare("SELECT count(*) AS marks FROM producers WHERE owner = ?");
    this.#selectOutcome = database.prepare(
      `SELECT digest, epoch, "offset", tag, refusal FROM outcomes WHERE producer = ? AND slot = ? AND seq = ?`,
    );
    this.#selectOutcome.setReturnArrays(true);
    this.#replaceOutcome = database.prepare(
      `REPLACE INTO outcomes (producer, slot, seq, digest, epoch, "offset", tag, refusal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  find(owner: string, producer: Producer, channel: ChannelRow): ProducerRow | undefined {
    const name = nameOf(producer, channel);
    const remembered = this.#rows.get(name);
    if (remembered) return remembered;
    const found = this.#select.get(owner, producer.id, channel.id);
    if (!found) return undefined;
    const row = { id: Number(found.id), mark: Number(found.mark), used: Number(found.used) };
    this.#rows.set(name, row);
    return row;
  }

  make(owner: string, producer: Producer, channel: ChannelRow, now: number): ProducerRow {
    const minted = mintedAt(producer.id);
    const marks = this.marksOf(owner);
    const { lastInsertRowid } = this.#insert.run(owner, producer.id, channel.id, minted, now);
    this.#counts.set(owner, marks + 1);
    const row = { id: Number(lastInsertRowid), mark: 0, used: now };
    this.#rows.set(nameOf(producer, channel), row);
    return row;
  }

  /** How many marks an owner has. */
  marksOf(owner: string): number {
    let marks = this.#counts.get(owner);
    if (marks === undefined) {
      marks = Number(this.#count.get(owner)?.marks);
      this.#counts.set(owner, marks);
    }
    return marks;
  }

  outcome(row: ProducerRow, seq: number): { readonly digest: string; readonly outcome: Outcome } | undefined {
    const values = this.#selectOutcome.get(row.id, seq % this.#window, seq) as unknown as Value[] | undefined;
    if (!values) return undefined;
    const [digest, epoch, offset, tag, refusal] = values;
    const outcome: Outcome =
      typeof refusal === "string"
        ? { kind: "refused", refusal: JSON.parse(refusal) as Refusal }
        : { kind: "committed", position: { epoch: epoch as string, offset: offset as number, tag: tag as string } };
    return { digest: digest as string, outcome };
  }

  /** Advances the mark to `seq` and keeps its outcome. */
  settle(row: ProducerRow, { seq, digest }: Producer, now: number, outcome: Outcome): void {
    row.mark = seq;
    row.used = Math.max(row.used, now);
    this.#changed.add(row);
    const slot = seq % this.#window;
    if (outcome.kind === "committed") {
      const { epoch, offset, tag } = outcome.position;
      this.#replaceOutcome.run(row.id, slot, seq, digest, epoch, offset, tag, null);
    } else {
      this.#replaceOutcome.run(row.id, slot, seq, digest, null, null, null, JSON.stringify(outcome.refusal));
    }
  }

  /** Writes what was changed. */
  flush(): void {
    for (const { mark, used, id } of this.#changed) this.#update.run(mark, used, id);
    this.#changed.clear();
    if (this.#rows.size > REMEMBERED) this.#rows.clear();
    if (this.#counts.size > REMEMBERED) this.#counts.clear();
  }

  /** Forgets what is remembered: the transaction was rolled back, or rows were deleted. */
  forget(): void {
    this.#changed.clear();
    this.#rows.clear();
    this.#counts.clear();
  }
}

function nameOf(producer: Producer, channel: ChannelRow): string {
  return `${producer.id}/${channel.id}/${producer.user}`;
}
